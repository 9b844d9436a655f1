/** Whatever was thrown. */
export interface Failure {
  readonly error: unknown;
}

/** Runs what may fail without ending the session. */
export async function failureOf(operation: () => void | Promise<void>): Promise<Failure | undefined> {
  try {
    await operation();
    return undefined;
  } catch (error) {
    return { error };
  }
}
