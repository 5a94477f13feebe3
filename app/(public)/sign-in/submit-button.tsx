"use client";

import { useFormStatus } from "react-dom";
import { Button, type ButtonProps } from "../../_components/ui/button";

/** Says that something is under way while its form is. */
export function SubmitButton({ waiting, children, ...props }: ButtonProps & { waiting: string }) {
  const { pending } = useFormStatus();
  return <Button type="submit" busy={pending} {...props}>{pending ? waiting : children}</Button>;
}
