export type Decision = "connected" | "connect failed" | "prohibited" | "granted" | "refused" | `reason ${number}`;

export interface Outcome {
  readonly decision: Decision;
  /** The decision about a second request of the kind, while the first is in force. */
  readonly second?: Decision;
  /** What becomes of the file of a socket that is not listened on any more. */
  readonly file?: "stays" | "is removed";
  /** Where it is listened after that. */
  readonly boundThen?: readonly string[];
  /** Of what is listened on: where, what the client is told of a connection, and which cancels are granted. */
  readonly details?: object;
}
