import type { PacketClientOptions } from "../../../support/packet-transport.js";
import type { Peer } from "./peer.js";

/** How far an ordinary client has come, in the order it goes. */
export const PATH = [
  /** Nothing was sent or read yet. */
  "connected",
  /** Identifications were exchanged and the server's KEXINIT was read. */
  "identified",
  /** Both KEXINITs are sent. */
  "exchanging-keys",
  /** The server's NEWKEYS came. */
  "keys-agreed",
  "encrypted",
  "authenticating",
  "logged-in",
] as const;

export type Stage =
  | (typeof PATH)[number]
  /** The server has asked for a password by keyboard-interactive. */
  | "in-dialogue"
  /** As `authenticating`, but no login follows: sshd does not bear a change of the user. */
  | "stranger"
  /** A session channel is open, on which nothing was asked. */
  | "session"
  /** A program on a session channel sends back what it reads. */
  | "echo"
  /** A program on a session channel reads nothing and goes on after EOF. */
  | "deaf"
  /** `encrypted`, and the client's KEXINIT of a later key exchange is sent. */
  | "rekeying-early"
  /** `echo`, and the client's KEXINIT of a later key exchange is sent. */
  | "kexinit-sent"
  /** `echo`, and both KEXINITs of a later key exchange are sent. */
  | "rekeying"
  /** `echo`, and the server's NEWKEYS of a later key exchange came. */
  | "rekeyed"
  /** An SFTP session has begun. */
  | "sftp"
  /** There is no way on for a client. */
  | "over";

/** Something that no ordinary client sends, at some point of an ordinary connection. */
export interface OddInput {
  readonly name: string;
  readonly stage: Stage;
  readonly options?: PacketClientOptions;
  /** Ordinary steps that the stage lacks. */
  readonly prepare?: (peer: Peer) => Promise<void>;
  readonly send: (peer: Peer) => void;
  /** Where an ordinary client is when it has sent this. By default where it was. */
  readonly next?: Stage;
  /** Bytes that the echo of this has, where it is data that is to arrive. */
  readonly echo?: number;
  /** The channel is closed whatever becomes of this. */
  readonly closes?: true;
}

/** What became of a message. */
export type Outcome =
  /** Nothing came of it, and all goes on. */
  | "goes on"
  /** It was answered as a right one is, and all goes on. */
  | "accepted"
  /** This request, attempt or channel is refused, and all goes on. */
  | "refused"
  /** It was answered by UNIMPLEMENTED, and all goes on. */
  | "unimplemented"
  /** Its data did not reach the program, and all goes on. */
  | "loses the data"
  /** Its channel is closed, and the connection goes on. */
  | "ends the channel"
  /** The connection ends with DISCONNECT. */
  | "ends"
  /** The connection ends without a word. */
  | "hangs up";
