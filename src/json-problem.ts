/** Words of Python and JavaScript that JSON writes otherwise or not at all. */
const WORDS: Readonly<Record<string, string>> = {
  NaN: 'NaN, which JSON does not have: write null',
  Infinity: 'Infinity, which JSON does not have: write null',
  True: 'True, which JSON writes as true',
  False: 'False, which JSON writes as false',
  None: 'None, which JSON writes as null',
  nan: 'nan, which JSON does not have: write null',
  inf: 'inf, which JSON does not have: write null',
  undefined: 'undefined, which JSON does not have: write null',
};
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const LONGEST_WORD = 40;

/** In longer texts a place is not looked for. */
const LONGEST = 4_000_000;

/** As `JSON.parse`, with the problem in our words. @throws SyntaxError with what `jsonProblem` says */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (text.length > LONGEST) throw cause;
    throw new SyntaxError(jsonProblem(text), { cause });
  }
}

/**
 * What is wrong with a text that `JSON.parse` refuses, and where, as the end of a sentence: `NaN, which JSON does not have: write null
 * (character 12)`. The engine's words name tokens, and no two engines the same.
 */
export function jsonProblem(text: string): string {
  if (text.trim() === '') return 'nothing in it';
  const { problem, at } = firstProblem(text);
  const before = text.slice(0, at).split('\n');
  const column = (before.at(-1) as string).length + 1;
  const place = text.includes('\n') ? `line ${before.length}, character ${column}` : `character ${column}`;
  return `${problem} (${place})`;
}

function firstProblem(text: string): { problem: string; at: number } {
  const open: { bracket: string; at: number }[] = [];
  let comma = -1;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (/\s/.test(character)) continue;
    const isClosing = character === '}' || character === ']';
    if (isClosing && comma >= 0) return { problem: `a comma before ${character}`, at: comma };
    comma = character === ',' ? at : -1;
    if (character === '"') {
      const { end, control } = stringEnd(text, at);
      if (control !== undefined)
        return {
          problem: 'a line break, tab or other control character within a text: write \\n, \\t',
          at: control,
        };
      if (end === undefined) return { problem: 'a text that is not closed by "', at };
      at = end;
    } else if (character === "'")
      return { problem: 'a single quote: names and texts stand in double quotes', at };
    else if (character === '/') return { problem: 'a comment, which JSON does not have', at };
    else if (character === '{' || character === '[') open.push({ bracket: character, at });
    else if (isClosing) {
      const last = open.pop();
      if (last?.bracket !== (character === '}' ? '{' : '['))
        return {
          problem: `${character} where ${last ? `${last.bracket} is open` : 'no bracket is open'}`,
          at,
        };
    } else {
      WORD.lastIndex = at;
      const [word] = WORD.exec(text) ?? [];
      if (word === undefined) continue;
      if (!['true', 'false', 'null'].includes(word) && !/\d/.test(text[at - 1] ?? ''))
        return { problem: WORDS[word] ?? `${word.slice(0, LONGEST_WORD)} without quotes`, at };
      at += word.length - 1;
    }
  }
  const last = open.at(-1);
  if (last) return { problem: `${last.bracket} is not closed`, at: last.at };
  return { problem: 'commas, colons or numbers that are not as JSON has them', at: 0 };
}

/** Where the string that begins at a quote ends, or the first control character in it. */
function stringEnd(text: string, start: number): { end?: number; control?: number } {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return { end: at };
    if (code === 0x5c) at++;
    else if (code < 0x20) return { control: at };
  }
  return {};
}
