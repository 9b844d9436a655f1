/** The signals that SSH has names for (RFC 4254 §6.10): the names there, and here. */
const SIGNALS = {
  ABRT: "SIGABRT",
  ALRM: "SIGALRM",
  FPE: "SIGFPE",
  HUP: "SIGHUP",
  ILL: "SIGILL",
  INT: "SIGINT",
  KILL: "SIGKILL",
  PIPE: "SIGPIPE",
  QUIT: "SIGQUIT",
  SEGV: "SIGSEGV",
  TERM: "SIGTERM",
  USR1: "SIGUSR1",
  USR2: "SIGUSR2",
} as const;

/** The system's name of a signal that a client named, if SSH has it. */
export function signalFromName(name: string): NodeJS.Signals | undefined {
  return Object.entries(SIGNALS).find(([known]) => known === name)?.[1];
}

/** SSH's name of a signal, if it has one. */
export function signalToName(signal: NodeJS.Signals): string | undefined {
  return Object.entries(SIGNALS).find(([, known]) => known === signal)?.[0];
}
