/** The session cannot go on. */
export class ScpEndError extends Error {
  override readonly name: string = "ScpEndError";
}

/** What the peer did, or wants, ends the session; it is told the message. */
export class FatalError extends ScpEndError {
  override readonly name = "FatalError";
}

/** The peer has gone, or has given up: there is nobody to tell anything. */
export class PeerGoneError extends ScpEndError {
  override readonly name = "PeerGoneError";
}
