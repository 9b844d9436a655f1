import { ConfigurationError } from "./configuration-error.js";
import type { Logger } from "./logger.js";
import { nearestName, relatedName, sameButForForm } from "./similar-names.js";

/** `checkKeyRevocation`, `check_access`, `onAuthenticationSuccess`, `getAllowedMethods`: the forms of all hooks. */
const LIKE_A_HOOK = /^(check[A-Z_]\w*|on(Channel|Authentication)\w*|get(Allowed|Required)\w*|get\w*Permissions)$/;

/**
 * Looks for methods of a subclass that are meant as hooks, but are never called because of their names: what they were to
 * refuse would be allowed. One that is up to two letters from a hook the subclass does not have is logged, and so is one
 * that is formed like a hook's, with the hook that it may be meant for. A name that goes on from that of a hook which is
 * there is taken for its helper, and one that begins with an underscore for a private one.
 *
 * @param option names the object
 * @param base the class whose methods are the hooks
 * @throws {ConfigurationError} for a name that differs from that of a hook in case and underscores alone
 */
export function checkHookNames(
  option: string,
  object: object,
  base: { readonly prototype: object },
  logger: Pick<Logger, "warn">,
): void {
  const hooks = Object.getOwnPropertyNames(base.prototype).filter((name) => name !== "constructor");
  const methods = methodNames(object, base.prototype);
  const missing = hooks.filter((hook) => !methods.has(hook));
  const there = hooks.filter((hook) => methods.has(hook));
  for (const hook of hooks) {
    if (typeof Reflect.get(object, hook) !== "function")
      throw new ConfigurationError(option, `${hook} must be a method`);
  }
  for (const method of methods) {
    if (hooks.includes(method)) continue;
    const isPrivate = method.startsWith("_");
    const hook = (isPrivate ? missing : hooks).find((name) => sameButForForm(name, method));
    if (hook !== undefined) {
      throw new ConfigurationError(option, `has a method ${method}, which nothing calls; the hook is named ${hook}`);
    }
    const meant = isPrivate ? undefined : nearestName(method, missing);
    if (meant !== undefined) {
      logger.warn({ method, hook: meant }, "a method has nearly the name of a hook, and nothing calls it");
    } else if (!isPrivate && LIKE_A_HOOK.test(method) && !there.some((hook) => method.startsWith(hook))) {
      const hook = relatedName(method, missing);
      logger.warn(
        { method, ...(hook && { hook }) },
        "a method is named as hooks are, and nothing but the program itself calls it",
      );
    }
  }
}

/** Of an object itself, and of its classes up to `base`. */
function methodNames(object: object, base: object): Set<string> {
  const names = new Set<string>();
  for (let at: object | null = object; at !== null && at !== base; at = Object.getPrototypeOf(at)) {
    for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== "constructor" && (typeof value === "function" || get !== undefined)) names.add(name);
    }
  }
  return names;
}
