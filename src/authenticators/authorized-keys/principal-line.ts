import { type ContentLine, requireUtf8 } from "../files/content-lines.js";
import { parseOptionField } from "./key-line.js";
import type { KeyOptions } from "./key-options.js";
import { endOfField } from "./option-list.js";

/** One line of AuthorizedPrincipalsFile that can be used. */
export interface PrincipalLine {
  readonly principal: string;
  readonly options: KeyOptions;
}

/**
 * Reads options of authorized_keys, where there are some, and the name of a principal (AuthorizedPrincipalsFile in
 * sshd_config(5)); `#` begins a comment. sshd takes the last word for the name and overlooks the words between;
 * such a line is refused here.
 *
 * @throws {Error} that tells why the line must not be used
 */
export function parsePrincipalLine({ content }: ContentLine): PrincipalLine {
  const fields = fieldsOf(content);
  const [principal, optionText = "", ...others] = fields.reverse();
  if (principal === undefined || others.length > 0)
    throw new Error("the line is not a principal, alone or behind options");
  requireUtf8("the principal is", principal);
  const options = parseOptionField(optionText);
  if (options.role === "authority") throw new Error("the option cert-authority is not for principals");
  return { principal, options };
}

function fieldsOf(content: string): string[] {
  const fields: string[] = [];
  for (let rest = withoutComment(content); rest !== ""; ) {
    const end = endOfField(rest);
    fields.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return fields;
}

function withoutComment(content: string): string {
  let quoted = false;
  for (let at = 0; at < content.length; at++) {
    if (content[at] === "\\" && content[at + 1] === '"') at++;
    else if (content[at] === '"') quoted = !quoted;
    else if (content[at] === "#" && !quoted) return content.slice(0, at).trimEnd();
  }
  return content;
}
