/** What hooks may give: every one of them may be asynchronous. */
export type MaybePromise<T> = T | Promise<T>;
