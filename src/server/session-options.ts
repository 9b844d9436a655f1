import { ConfigurationError } from "../base/configuration-error.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { checkFunction, checkOptions, kindOf } from "../base/option-checks.js";
import { nearestName } from "../base/similar-names.js";
import { FILES_OPTIONS, type FilesOptions, filesSettings } from "../files/file-server-options.js";
import type { FileSystem } from "../files/file-system.js";
import { checkFileSystem, isFileSystem } from "../files/wrappers/methods.js";
import type { Connection } from "../session/connection.js";
import type { SessionChannel } from "../session/session-channel.js";
import type { Middleware, SessionHandler } from "../session/session-handler.js";

/** The user whose files are asked for. */
export interface FilesClient<Data = unknown> {
  /** The user who has logged in. */
  readonly user: string;
  /** Whatever the login has given by `new Grant({ data })`. */
  readonly data: Data;
  /** The connection of the client. */
  readonly connection: Connection<Data>;
}

/** Files that are served: a folder of this machine by its path, a file system, or one of them with options. */
export type Files<Data = unknown> = string | FileSystem | FilesOptions<Connection<Data>>;

/** Files for all users, or a function that gives those of a user; `undefined` refuses. */
export type FilesOption<Data = unknown> =
  | Files<Data>
  | ((client: FilesClient<Data>) => MaybePromise<Files<Data> | undefined>);

/** The programs that clients may run. Without a declaration, nothing runs. */
export interface SessionOptions<Data = unknown> {
  /** Serves commands, shells and subsystems other than `sftp`. Terminals are allowed, and the variables LANG, LC_* and COLORTERM. */
  readonly session?: SessionHandler<Data>;
  /** The files for `sftp` and for `scp`, in both of its protocols. */
  readonly sftp?: FilesOption<Data>;
  /** Layers around the handlers of all sessions, those of `sftp` and `scp` too; the first is outermost. */
  readonly middleware?: readonly Middleware<Data>[];
}

/** @throws {ConfigurationError} naming the option that cannot be used */
export function checkSessionOptions({ session, sftp, middleware = [] }: SessionOptions): SessionOptions {
  if (session !== undefined) checkFunction("session", session);
  if (sftp !== undefined && typeof sftp !== "function") servedFiles(sftp);
  if (!Array.isArray(middleware))
    throw new ConfigurationError("middleware", `must be a list, not ${kindOf(middleware)}`);
  for (const layer of middleware) checkFunction("middleware", layer);
  return { ...(session && { session }), ...(sftp !== undefined && { sftp }), middleware: [...middleware] };
}

/**
 * The files that an option gives to a user.
 *
 * @throws {ConfigurationError} when it gives something else
 */
export async function filesOf(option: FilesOption, channel: SessionChannel): Promise<FilesOptions | undefined> {
  if (typeof option !== "function") return servedFiles(option);
  const { connection } = channel;
  const { username: user = "", identity } = connection;
  const files = await option({ user, data: identity?.data, connection });
  return files === undefined ? undefined : servedFiles(files);
}

/** @throws {ConfigurationError} naming the option that cannot be used */
export function servedFiles(files: Files): FilesOptions {
  if (files === "") throw new ConfigurationError("sftp", "must be a path or a file system, and not an empty text");
  if (typeof files === "string") return { rootPath: files };
  if (!hasOptions(files)) return { fileSystem: checkFiles(files) };
  const options = checkOptions(files, FILES_OPTIONS, "sftp");
  filesSettings(options);
  // The connection that its functions are called with is that of the channel.
  return options as FilesOptions;
}

/** What people call the option `rootPath`. */
const NAMES_OF_ROOT_PATH = ["root", "path", "folder", "directory", "dir"];

function checkFiles(files: FileSystem): FileSystem {
  const isObject = typeof files === "object" && files !== null && !Array.isArray(files);
  if (!isObject || isFileSystem(files)) return checkFileSystem("sftp", files);
  const [meant] = Object.keys(files).flatMap((name) =>
    NAMES_OF_ROOT_PATH.includes(name) ? ["rootPath"] : (nearestName(name, FILES_OPTIONS) ?? []),
  );
  const guess = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  throw new ConfigurationError("sftp", `has neither rootPath nor fileSystem${guess}, and no method of a FileSystem`);
}

/** A file system of somebody's own may have members of these names. */
function hasOptions(files: FileSystem | FilesOptions<Connection>): files is FilesOptions<Connection> {
  const isObject = typeof files === "object" && files !== null;
  return isObject && !isFileSystem(files) && FILES_OPTIONS.some((name) => name in files);
}
