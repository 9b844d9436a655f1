/** A user has no home. The message is for the log. */
export class NoHomeError extends Error {
  override readonly name = "NoHomeError";
  /** `"name"`: nobody of this name can have one; `"folder"`: it cannot be used, or made. */
  readonly reason: "name" | "folder";

  constructor(message: string, options: ErrorOptions & { readonly reason?: NoHomeError["reason"] } = {}) {
    super(message, options);
    this.reason = options.reason ?? "folder";
  }
}
