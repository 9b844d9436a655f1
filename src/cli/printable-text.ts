/** A text that can be shown on a terminal, as one line: characters that control it, or the direction of text, become `?`. */
export function printableText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "?");
}
