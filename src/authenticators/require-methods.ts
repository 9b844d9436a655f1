import type { MethodLists } from "../auth/required-methods.js";
import { ConfigurationError } from "../base/configuration-error.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import type { Connection } from "../session/connection.js";

/** Lists for all users, or a function that returns the lists of a user; `undefined` requires nothing of the user. */
export type RequiredMethodsSource =
  | MethodLists
  | ((username: string, connection: Connection) => MaybePromise<MethodLists | undefined>);

const METHODS = ["none", "publickey", "password", "keyboard-interactive"];

/**
 * Requires several methods together, as AuthenticationMethods of sshd_config(5): `requireMethods([["publickey",
 * "password"], ["publickey", "keyboard-interactive"]])` asks for a key and then for one of the other two. A list may
 * name `publickey` twice, for two different keys. Returns a function for `getRequiredAuths` and for `methods` of the
 * declaration.
 *
 * @throws {ConfigurationError} for lists without a method, or with a method that does not exist
 */
export function requireMethods(
  source: RequiredMethodsSource,
): (username: string, connection: Connection) => Promise<MethodLists | undefined> {
  if (typeof source !== "function") {
    const lists = checkLists(source);
    return async () => lists;
  }
  return async (username, connection) => {
    const lists = await source(username, connection);
    return lists === undefined ? undefined : checkLists(lists);
  };
}

function checkLists(lists: MethodLists): MethodLists {
  if (!Array.isArray(lists) || lists.length === 0 || !lists.every((list) => Array.isArray(list))) {
    throw unusable('must be lists of methods, at least one, such as [["publickey", "password"]]');
  }
  for (const list of lists) {
    if (list.length === 0) throw unusable("a list of methods is empty");
    for (const method of list) {
      if (!METHODS.includes(method)) throw unusable(`${JSON.stringify(method)} is not one of ${METHODS.join(", ")}`);
    }
  }
  return lists.map((list) => [...list]);
}

function unusable(message: string): ConfigurationError {
  return new ConfigurationError("authentication.methods", message);
}
