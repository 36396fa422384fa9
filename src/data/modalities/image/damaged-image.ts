import { BrokenValue } from '../../broken-value.ts';
import { FORMAT_NAMES, type ImageFormat } from './image-format.ts';

const LONGEST = 200;

/** A decoder's refusal as that of a row: in its words, each once, without the names of its parts. */
export function damagedImage(format: ImageFormat, error: unknown): BrokenValue {
  const lines = (error as Error).message
    .replace(
      /Input (?:buffer|file) (?:has corrupt header|contains unsupported image format):?/,
      'its header cannot be read\n',
    )
    .replace(/\b(?:vips\w*|\w+load\w*|\w+_(?:buffer|source)): ?/gi, '')
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '' && line !== 'Unknown error');
  const problem = [...new Set(lines)].join('; ').slice(0, LONGEST);
  return new BrokenValue('image', `the ${FORMAT_NAMES[format]} image is damaged: ${problem}`);
}
