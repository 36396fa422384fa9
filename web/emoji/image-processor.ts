import { join } from 'node:path';
import { image } from '../../src/data/modalities/image/image.ts';

/** Reads images as the preprocessor_config.json in a student's folder says. */
export function imageProcessorOf(student: string) {
  return image.open(image.options.parse({ preprocessor: 'preprocessor_config.json' }), {
    input: 'image',
    fields: ['image'],
    maxLength: 0,
    buckets: [],
    resolvePath: (path: string) => join(student, path),
  });
}
