/** A promise that knows whether anybody has asked for its outcome: by `await`, `then`, `catch` or by returning it. */
export class WatchedPromise<Result> extends Promise<Result> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** The same outcome; one that nobody asks for ends no process. */
  static of<Result>(promise: Promise<Result>): WatchedPromise<Result> {
    const watched = new WatchedPromise<Result>((resolve, reject) => void promise.then(resolve, reject));
    Promise.prototype.then.call(watched, undefined, () => {});
    return watched;
  }

  isWatched = false;

  // biome-ignore lint/suspicious/noThenProperty: it is a promise
  override then<Fulfilled = Result, Rejected = never>(
    fulfilled?: ((result: Result) => Fulfilled | PromiseLike<Fulfilled>) | null,
    rejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.isWatched = true;
    return super.then(fulfilled, rejected);
  }
}
