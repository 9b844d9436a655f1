/** The end of a program: its exit status, or the signal that has ended it, named without SIG (RFC 4254 §6.10). */
export type ProgramEnd =
  | { readonly status: number }
  | {
      readonly signal: string;
      readonly coreDumped?: boolean;
    };
