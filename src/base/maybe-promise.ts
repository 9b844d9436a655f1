/** The results that hooks and methods of file systems may give: each may be asynchronous. */
export type MaybePromise<T> = T | Promise<T>;

/** Whether a result is still to come. It may be a promise of another making than JavaScript's own. */
export function isThenable<Value>(value: MaybePromise<Value>): value is Promise<Value> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Goes on with a result: at once where it is there. */
export function whenDone<T, R>(result: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isThenable(result) ? Promise.resolve(result).then(next) : next(result);
}
