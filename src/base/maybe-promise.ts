/** The results that hooks may give: every hook may be asynchronous. */
export type MaybePromise<T> = T | Promise<T>;
