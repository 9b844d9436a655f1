/** The session cannot go on. */
export class SCPEndError extends Error {
  override readonly name: string = "SCPEndError";
}

/** What the peer did, or wants, ends the session; it is told the message. */
export class FatalError extends SCPEndError {
  override readonly name = "FatalError";
}

/** The peer has gone, or has given up: there is nobody to tell anything. */
export class PeerGoneError extends SCPEndError {
  override readonly name = "PeerGoneError";
}
