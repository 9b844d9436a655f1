import { mayBeIgnored } from "../connection/pending-answer.js";
import type { Session } from "./session.js";
import type { Middleware } from "./session-handler.js";

/** A handler with the middleware around it: the first is outermost. */
export class HandlerChain<Data> {
  readonly #middleware: readonly Middleware<Data>[];
  readonly #handler: { readonly name: string; run(): Promise<void> };
  readonly #failed: (what: string, error: unknown) => void;
  readonly #running: string[] = [];

  /** @param failed is told of what nobody waits for any more */
  constructor(
    middleware: readonly Middleware<Data>[],
    handler: { readonly name: string; run(): Promise<void> },
    failed: (what: string, error: unknown) => void,
  ) {
    this.#middleware = middleware;
    this.#handler = handler;
    this.#failed = failed;
  }

  /** The name of the function that the chain is waiting for. */
  get running(): string | undefined {
    return this.#running.at(-1);
  }

  /**
   * Resolves when all that was entered has ended.
   *
   * @throws whatever the outermost function throws, an Error where a middleware calls `next` more than once, and a TypeError for
   *   a function that was to be called to get the middleware
   */
  run(session: Session<Data>): Promise<void> {
    return this.#enter(session, 0);
  }

  #enter(session: Session<Data>, index: number): Promise<void> {
    const layer = this.#middleware[index];
    if (layer === undefined) return this.#track(this.#handler.name, () => this.#handler.run());
    const name = nameOf(layer, "middleware");
    return this.#track(name, () => this.#runLayer(session, index, layer, name));
  }

  async #runLayer(session: Session<Data>, index: number, layer: Middleware<Data>, name: string): Promise<void> {
    let inner: Promise<void> | undefined;
    let misuse: Error | undefined;
    let left = false;
    const next = (): Promise<void> => {
      if (inner === undefined && !left) {
        inner = this.#enter(session, index + 1);
        return mayBeIgnored(inner);
      }
      misuse = new Error(`the middleware ${name} has called next ${left ? "after it had ended" : "more than once"}`);
      if (left) this.#failed(name, misuse);
      return mayBeIgnored(Promise.reject(misuse));
    };
    try {
      const result: unknown = await layer(session, next);
      if (typeof result === "function" && inner === undefined) {
        throw new TypeError(`the middleware ${name} has returned a function: did you mean ${name}()?`);
      }
    } finally {
      left = true;
      // It need not have waited for what is inside, but the session does.
      await inner?.catch(() => {});
    }
    if (misuse !== undefined) throw misuse;
  }

  async #track(name: string, run: () => Promise<void>): Promise<void> {
    this.#running.push(name);
    try {
      await run();
    } finally {
      this.#running.splice(this.#running.lastIndexOf(name), 1);
    }
  }
}

/** The name of a function for the log: a program may have given it one that is not a text. */
export function nameOf({ name }: { readonly name: unknown }, otherwise: string): string {
  return typeof name === "string" && name !== "" ? name : otherwise;
}
