import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { existsSync } from '../../platform/files.ts';
import { basename } from '../../platform/paths.ts';
import type { DataSource } from '../sample.ts';
import { openIdx } from './idx-files.ts';
import { defineSource, type SourceContext } from './source.ts';

/** Images in IDX files, as MNIST has them. */
export const idx = defineSource({
  kind: 'idx',
  gives: 'image',
  options: z
    .strictObject({
      path: z.string().min(1).describe('A folder with the four IDX files, unpacked or .gz.'),
      classes: z
        .array(z.string().min(1))
        .min(2)
        .default([...'0123456789'])
        .describe('The class names, in the order of their numbers.'),
    })
    .meta({ title: 'IDX', description: 'Images in IDX files, as MNIST has them.' }),
  open({ path, classes }, context) {
    const folder = context.resolvePath(path);
    return openIdx(folder, basename(folder), classes);
  },
});

/** Xiao, Rasul and Vollgraf, "Fashion-MNIST" (2017), table 2. */
export const FASHION_CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

/** Where Debian's package puts the files. */
const FASHION_FOLDER = '/usr/share/datasets/fashion-mnist';

/** Fashion-MNIST, known by the positions of its images. */
export const fashionMnist = defineSource({
  kind: 'fashion-mnist',
  gives: 'image',
  options: z
    .strictObject({
      path: z
        .string()
        .min(1)
        .optional()
        .describe("A folder with the four files; Debian's package when absent."),
    })
    .meta({
      title: 'Fashion-MNIST',
      description: 'Fashion-MNIST: 70,000 grey images of clothes, 28x28, in ten classes.',
    }),
  open: ({ path }, context) => openFashionMnist(path, context),
});

/**
 * The images of clothes from a folder, or from Debian's.
 *
 * @throws LimbeckError `data.not-found`, `data.damaged`
 */
export async function openFashionMnist(
  path: string | undefined,
  context: Pick<SourceContext, 'resolvePath'>,
): Promise<DataSource> {
  if (path === undefined && !existsSync(FASHION_FOLDER)) {
    throw new LimbeckError('data.not-found', 'Fashion-MNIST is not on this machine', {
      where: FASHION_FOLDER,
      remedy:
        'Install it (on Debian: apt-get install -y dataset-fashion-mnist), or set data.source.path to a folder with its four IDX files.',
    });
  }
  const folder = path === undefined ? FASHION_FOLDER : context.resolvePath(path);
  return openIdx(folder, 'Fashion-MNIST', FASHION_CLASSES, 'position');
}
