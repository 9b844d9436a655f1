/** An option given to this library cannot be used; `option` names it. */
export class ConfigurationError extends Error {
  override readonly name: string = "ConfigurationError";
  /** The option that cannot be used, with the options that it lies in: `maxStartups.rate`. */
  readonly option: string;

  constructor(option: string, message: string, options?: ErrorOptions) {
    super(`${option}: ${message}`, options);
    this.option = option;
  }
}
