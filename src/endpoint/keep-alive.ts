export interface KeepAliveOptions {
  /** Seconds of silence after which the peer is asked for a sign of life; Infinity for never. */
  readonly aliveInterval: number;
  /** Questions in a row that may stay without an answer; Infinity for any number. */
  readonly aliveCountMax: number;
}

/** Asks a silent peer for signs of life, as ClientAliveInterval and ClientAliveCountMax of sshd_config(5). */
export class KeepAlive {
  readonly #timer: NodeJS.Timeout | undefined;
  #heard = false;
  #unanswered = 0;

  /**
   * @param ask sends the peer a message that it has to answer
   * @param lost the peer has not answered often enough
   */
  constructor(options: KeepAliveOptions, ask: () => void, lost: () => void) {
    const { aliveInterval, aliveCountMax } = options;
    if (!Number.isFinite(aliveInterval)) return;
    this.#timer = setInterval(() => {
      if (this.#heard) {
        this.#heard = false;
        this.#unanswered = 0;
      } else if (this.#unanswered++ >= aliveCountMax) {
        lost();
      } else {
        ask();
      }
    }, aliveInterval * 1000);
  }

  /** Something came from the peer. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
