import { type Accept, DisplayPort } from "./display-port.js";

/** X11DisplayOffset of sshd_config(5) by default, and the first number that sshd does not try. */
const FIRST_DISPLAY = 10;
const END_OF_DISPLAYS = 1000;

export interface OpenDisplay {
  readonly number: number;
  /** Nobody can connect any more; connections that were accepted go on. */
  close(): void;
}

/** The displays of all clients of a server. */
export class X11Displays {
  readonly #maxDisplays: number;
  /** Numbers of displays that are open, or being opened. */
  readonly #numbers = new Set<number>();

  /** @param maxDisplays how many there may be at a time */
  constructor(maxDisplays: number = END_OF_DISPLAYS - FIRST_DISPLAY) {
    this.#maxDisplays = maxDisplays;
  }

  /**
   * Opens the first display that is free.
   *
   * @param onError gets what fails later
   * @returns the display; rejects when there are too many, none is free, or the system fails
   */
  async open(accept: Accept, onError: (error: Error) => void): Promise<OpenDisplay> {
    for (let number = FIRST_DISPLAY; number < END_OF_DISPLAYS; number++) {
      if (this.#numbers.has(number)) continue;
      if (this.#numbers.size >= this.#maxDisplays) throw new Error(`there are ${this.#maxDisplays} X displays already`);
      this.#numbers.add(number);
      try {
        const port = await DisplayPort.open(number, accept, onError);
        if (port !== undefined) return this.#opened(number, port);
      } catch (error) {
        this.#numbers.delete(number);
        throw error;
      }
      this.#numbers.delete(number);
    }
    throw new Error("no X display is free");
  }

  #opened(number: number, port: DisplayPort): OpenDisplay {
    let open = true;
    return {
      number,
      close: () => {
        if (!open) return;
        open = false;
        port.close();
        this.#numbers.delete(number);
      },
    };
  }
}
