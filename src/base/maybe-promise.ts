/** The results that hooks and methods of file systems may give: each may be asynchronous. */
export type MaybePromise<T> = T | Promise<T>;
