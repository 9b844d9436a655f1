import { closeSync, constants, openSync } from "node:fs";

const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface SignalHandlers {
  /** The server is to stop. Called once: a second signal ends the process at once. */
  stop(signal: NodeJS.Signals): void;
  /** The files are to be read again. Not called again before it has resolved; never rejects. */
  reload(): Promise<void>;
}

/** Listens to signals. SIGHUP is a reload, unless it comes because the terminal of the server was closed. */
export function listenToSignals({ stop, reload }: SignalHandlers): void {
  const hadTerminal = hasTerminal();
  let isStopping = false;
  let reloads: "none" | "running" | "asked again" = "none";
  const stopOnce = (signal: NodeJS.Signals) => {
    isStopping = true;
    for (const again of STOP_SIGNALS) process.off(again, stopOnce).once(again, () => process.exit(1));
    stop(signal);
  };
  const hangUp = async () => {
    if (isStopping) return;
    if (hadTerminal && !hasTerminal()) {
      stopOnce("SIGHUP");
      return;
    }
    if (reloads !== "none") {
      reloads = "asked again";
      return;
    }
    do {
      reloads = "running";
      await reload();
    } while (isAskedAgain());
    reloads = "none";
  };
  const isAskedAgain = () => reloads === "asked again" && !isStopping;
  for (const signal of STOP_SIGNALS) process.on(signal, stopOnce);
  process.on("SIGHUP", () => void hangUp());
}

/** Whether the process has a terminal that it can be controlled from. The system takes it away before it sends SIGHUP. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}
