import { InvalidArgumentError } from 'commander';

/** What a registry's entry is given on the command line: `kd:temperature=4,weight=0.9`. */
export type KindArgument = { kind: string } & Record<string, unknown>;

/**
 * Reads `KIND`, `KIND:OPTION=VALUE,...` or `KIND:WORD,OPTION=VALUE,...`, where a word alone is the value of `wordOption`.
 * Values that are numbers or truth values become such; `A+B` is a list of two.
 */
export function parseKindArgument(text: string, wordOption?: string): KindArgument {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  if (kind === '') throw new InvalidArgumentError(`Expected KIND:OPTION=VALUE,..., not '${text}'.`);
  const parsed: KindArgument = { kind };
  if (colon < 0) return parsed;
  for (const [i, part] of text
    .slice(colon + 1)
    .split(',')
    .entries()) {
    const equals = part.indexOf('=');
    if (equals < 0 && i === 0 && wordOption !== undefined && part !== '') parsed[wordOption] = part;
    else if (equals > 0) {
      const option = part.slice(0, equals).trim();
      const value = part.slice(equals + 1).trim();
      // The name of an output may be a number.
      parsed[option] = option === wordOption ? value : readValue(value);
    } else throw new InvalidArgumentError(`Expected OPTION=VALUE, not '${part}'.`);
  }
  return parsed;
}

function readValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  if (text !== '' && !Number.isNaN(number)) return number;
  const parts = text.split('+');
  return parts.length > 1 && parts.every((part) => part !== '') ? parts.map(readValue) : text;
}
