/** What a test asked the token endpoint to do wrong. Undefined: nothing. */
export class Faults {
  tokenDelayMs = 0;
  tokenStatus: number | undefined;
  tokenError: string | undefined;

  reset(): void {
    this.tokenDelayMs = 0;
    this.tokenStatus = undefined;
    this.tokenError = undefined;
  }
}
