"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import { useTheme } from "next-themes";
import { DropdownMenuRadioGroup, DropdownMenuRadioItem } from "./dropdown-menu";

/** Light, dark, or as the system, for a menu. */
export function ThemeChoices() {
  const { theme, setTheme } = useTheme();
  return (
    <DropdownMenuRadioGroup value={theme} onValueChange={setTheme}>
      <DropdownMenuRadioItem value="light"><Sun aria-hidden />Light</DropdownMenuRadioItem>
      <DropdownMenuRadioItem value="dark"><Moon aria-hidden />Dark</DropdownMenuRadioItem>
      <DropdownMenuRadioItem value="system"><Monitor aria-hidden />As the system</DropdownMenuRadioItem>
    </DropdownMenuRadioGroup>
  );
}
