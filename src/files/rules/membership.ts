import { isThenable, type MaybePromise, whenDone } from "../../base/maybe-promise.js";
import type { AccessContext } from "../access-function.js";

/** Finds the groups that a user is in. */
export type FindGroups<Client extends object> = (
  client: Pick<AccessContext<Client>, "user" | "connection">,
) => MaybePromise<Iterable<string>>;

/** The groups of each user: asked once for each connection. */
export class Membership<Client extends object> {
  readonly #find: FindGroups<Client>;
  readonly #known = new WeakMap<object, MaybePromise<ReadonlySet<string>>>();

  constructor(find: FindGroups<Client> = groupsOfLogin) {
    this.#find = find;
  }

  /**
   * @throws whatever the function that finds them throws, and an Error where the result is not a list: without groups it is
   * unknown what is forbidden to the user
   */
  of(context: AccessContext<Client>): MaybePromise<ReadonlySet<string>> {
    const { user, connection } = context;
    const key = connection ?? context;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = whenDone(this.#find({ user, connection }), (groups) => checkGroups(groups));
    this.#known.set(key, found);
    if (isThenable(found)) {
      found.then(
        (groups) => this.#known.set(key, groups),
        () => this.#known.delete(key),
      );
    }
    return found;
  }
}

/** The login gives them with its data. */
function groupsOfLogin({ connection }: { readonly connection: object | undefined }): Iterable<string> {
  const identity: unknown = connection && Reflect.get(connection, "identity");
  const data: unknown = typeof identity === "object" && identity !== null ? Reflect.get(identity, "data") : undefined;
  const groups: unknown = typeof data === "object" && data !== null ? Reflect.get(data, "groups") : undefined;
  return groups as Iterable<string>;
}

function checkGroups(groups: Iterable<string>): ReadonlySet<string> {
  const isList = typeof groups === "object" && groups !== null && Symbol.iterator in groups;
  const found: readonly unknown[] = isList ? [...groups] : [];
  if (isList && found.every((group) => typeof group === "string")) return new Set(found as readonly string[]);
  throw new TypeError("rules have groups, and those of the user are no list of names: give the login data with groups");
}
