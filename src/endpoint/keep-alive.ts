export interface KeepAliveOptions {
  /** Seconds of silence after which the client is asked for a sign of life; 0 for never. */
  readonly clientAliveInterval: number;
  /** Questions in a row that may stay without an answer; 0 for any number. */
  readonly clientAliveCountMax: number;
}

/** Asks a silent client for signs of life, as ClientAliveInterval and ClientAliveCountMax of sshd_config(5). */
export class KeepAlive {
  readonly #timer: NodeJS.Timeout | undefined;
  #heard = false;
  #unanswered = 0;

  /**
   * @param ask sends the client a message that it has to answer
   * @param lost the client has not answered often enough
   */
  constructor(options: KeepAliveOptions, ask: () => void, lost: () => void) {
    const { clientAliveInterval, clientAliveCountMax } = options;
    if (clientAliveInterval === 0) return;
    this.#timer = setInterval(() => {
      if (this.#heard) {
        this.#heard = false;
        this.#unanswered = 0;
      } else if (clientAliveCountMax > 0 && this.#unanswered++ >= clientAliveCountMax) {
        lost();
      } else {
        ask();
      }
    }, clientAliveInterval * 1000);
  }

  /** Something came from the client. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
