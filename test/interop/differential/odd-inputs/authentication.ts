import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import * as messages from "../../../support/packet-messages.js";
import type { Field } from "../../../support/sftp-packets.js";
import { cut, message, NO, NOT_UTF8, TWO, withTail, YES } from "./bytes.js";
import type { OddInput } from "./odd-input.js";
import { sending } from "./sending.js";

const CONNECTION = "ssh-connection";

const authenticating = (name: string, ...payloads: readonly Uint8Array[]): OddInput =>
  sending("authenticating", name, payloads);

/** Somebody else than who can log in. */
function stranger(name: string, ...users: readonly Field[]): OddInput {
  return { name, stage: "stranger", send: (peer) => peer.send(...users.map((user) => none(user))) };
}

function attempt(name: string, ...fields: readonly Field[]): OddInput {
  return {
    name,
    stage: "authenticating",
    send: (peer) => peer.send(message(M.USERAUTH_REQUEST, peer.server.username, ...fields)),
  };
}

const password = (name: string, ...fields: readonly Field[]): OddInput =>
  attempt(name, CONNECTION, "password", ...fields);
const interactive = (name: string, ...fields: readonly Field[]): OddInput =>
  attempt(name, CONNECTION, "keyboard-interactive", ...fields);

const none = (user: Field, service: Field = CONNECTION): Buffer => message(M.USERAUTH_REQUEST, user, service, "none");

const inDialogue = (name: string, ...payloads: readonly Uint8Array[]): OddInput =>
  sending("in-dialogue", name, payloads);

const response = (...fields: readonly Field[]): Buffer => message(M.USERAUTH_INFO_RESPONSE, ...fields);

const requests: readonly OddInput[] = [
  stranger("a user whose name is not UTF-8", NOT_UTF8),
  stranger("a user without a name", ""),
  stranger("a user with NUL in the name", "a\0b"),
  stranger("a user with a name of 1,000 characters", "x".repeat(1_000)),
  stranger("a user with a name of 20,000 characters", "x".repeat(20_000)),
  stranger("another user than before", "nobody", "daemon"),
  attempt("the service ssh-userauth in an attempt", "ssh-userauth", "none"),
  attempt("an unknown service in an attempt", "x", "none"),
  attempt("a service that is not UTF-8 in an attempt", NOT_UTF8, "none"),
  attempt("an unknown method", CONNECTION, "x"),
  attempt("an unknown method with fields", CONNECTION, "x@spindlex", YES, NOT_UTF8),
  attempt("a method without a name", CONNECTION, ""),
  attempt("a method whose name is not UTF-8", CONNECTION, NOT_UTF8),
  attempt("the method none with bytes behind it", CONNECTION, "none", "x"),
  attempt("an attempt cut short", CONNECTION),
  attempt("the method hostbased", CONNECTION, "hostbased", "ssh-ed25519", NOT_UTF8, "host", "user", NOT_UTF8),
  attempt("the method gssapi-with-mic", CONNECTION, "gssapi-with-mic", 1, "0123456789a"),

  password("a password that is not UTF-8", NO, NOT_UTF8),
  password("a password of no characters", NO, ""),
  password("a password with NUL", NO, "a\0b"),
  password("a password of 1,025 characters", NO, "x".repeat(1_025)),
  password("a password of 20,000 characters", NO, "x".repeat(20_000)),
  password("a password with bytes behind it", NO, "x", "tail"),
  password("a password cut short", NO),
  password("a password without any fields"),
  password("a change of the password", YES, "old", "new"),
  password("a change of the password that is not UTF-8", YES, NOT_UTF8, NOT_UTF8),
  password("a change of the password cut short", YES, "old"),
  password("a password with a boolean of 2", TWO, "old", "new"),

  interactive("a dialogue whose language is not UTF-8", NOT_UTF8, ""),
  interactive("a dialogue whose submethods are not UTF-8", "", NOT_UTF8),
  interactive("a dialogue of unknown submethods", "", "x,y"),
  interactive("a dialogue with an empty submethod", "", "pam,"),
  interactive("a dialogue with bytes behind it", "", "", "tail"),
  interactive("a dialogue cut short", ""),

  inDialogue("an answer that is not UTF-8", response(1, NOT_UTF8)),
  inDialogue("an answer of no characters", response(1, "")),
  inDialogue("an answer with NUL", response(1, "a\0b")),
  inDialogue("no answers to one prompt", response(0)),
  inDialogue("two answers to one prompt", response(2, "a", "b")),
  inDialogue("2^32 - 1 answers to one prompt", response(0xffffffff, "a")),
  inDialogue("an answer with bytes behind it", withTail(response(1, "x"))),
  inDialogue("an answer cut short", cut(response(1, "xyz"))),
  inDialogue("an answer twice", response(1, "x"), response(1, "x")),
  inDialogue("another method in place of the answer", none("root")),
  inDialogue("another dialogue in place of the answer", messages.keyboardInteractiveRequest("root")),
  inDialogue("the service again in place of the answer", messages.serviceRequest("ssh-userauth")),
  inDialogue("a message of unknown number in place of the answer", message(150)),
  inDialogue("IGNORE in place of the answer", messages.ignore("x")),
  authenticating("an answer to no question", response(1, "x")),
];

const otherMessages: readonly OddInput[] = [
  authenticating("the service again", messages.serviceRequest("ssh-userauth")),
  authenticating("the service ssh-connection while authenticating", messages.serviceRequest(CONNECTION)),
  authenticating("USERAUTH_SUCCESS from the client", message(M.USERAUTH_SUCCESS)),
  authenticating("USERAUTH_FAILURE from the client", message(M.USERAUTH_FAILURE, "password", NO)),
  authenticating("USERAUTH_BANNER from the client", message(M.USERAUTH_BANNER, "x", "")),
  authenticating("USERAUTH_PK_OK from the client", message(M.USERAUTH_PK_OK, "x", "y")),
  authenticating("a message of a method that is not running", message(65, "x")),
  authenticating("EXT_INFO while authenticating", message(M.EXT_INFO, 0)),
  authenticating("GLOBAL_REQUEST while authenticating", messages.globalRequest("x", "want-reply")),
  authenticating("CHANNEL_OPEN while authenticating", messages.channelOpen()),
  authenticating("CHANNEL_REQUEST while authenticating", messages.execRequest(0, "true")),
  authenticating("a message of unknown number while authenticating", message(150)),
  authenticating("IGNORE while authenticating", messages.ignore("x")),
  authenticating("DEBUG while authenticating", messages.debug("x")),
  authenticating("UNIMPLEMENTED while authenticating", message(M.UNIMPLEMENTED, 0)),
  authenticating("PING while authenticating", messages.ping("x")),
];

export const authenticationInputs: readonly OddInput[] = [...requests, ...otherMessages];
