/** The session cannot go on. */
export class SCPEndError extends Error {
  override readonly name: string = "SCPEndError";
}

/** The session ends because of an act or a wish of the peer; the peer is told the message. */
export class FatalError extends SCPEndError {
  override readonly name = "FatalError";
}

/** The peer has gone, or has given up: there is nobody to tell anything. */
export class PeerGoneError extends SCPEndError {
  override readonly name = "PeerGoneError";
}

/** The peer says that its part in the transfer of a file has failed; the session goes on. */
export class PeerFailureError extends Error {
  override readonly name = "PeerFailureError";

  constructor() {
    super("the peer has reported a failure");
  }
}
