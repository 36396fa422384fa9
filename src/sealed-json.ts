import { canonicalJson } from './data/canonical-json.ts';
import { createSha256 } from './platform/hash.ts';

type JsonObject = Record<string, unknown>;

/** The last key of a sealed object: the SHA-256 of all the others. */
const SEAL = 'seal';

/** An object as the text of a file that says itself when something in it was changed. */
export function sealJson(value: object, indent = 2): string {
  return `${JSON.stringify({ ...value, [SEAL]: sealOf(value) }, null, indent)}\n`;
}

/**
 * What a file holds that `sealJson` wrote, without its seal; `sealed` is false where it has none, as in files of earlier versions.
 *
 * @throws Error saying why, when it is not a JSON object or was changed
 */
export function openSealedJson(text: string): { value: JsonObject; sealed: boolean } {
  const read: unknown = JSON.parse(text);
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new Error('it is not a JSON object');
  const { [SEAL]: seal, ...value } = read as JsonObject;
  if (seal !== undefined && seal !== sealOf(value)) throw new Error('something in it was changed');
  return { value, sealed: seal !== undefined };
}

function sealOf(value: object): string {
  return createSha256().update(canonicalJson(value)).digest('hex');
}
