import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { existsSync } from '../../platform/files.ts';
import { basename } from '../../platform/paths.ts';
import { registry } from '../../registry.ts';
import type { SourceContext } from '../sources/source.ts';
import { openIdx } from './idx.ts';
import type { ImageSource } from './image-source.ts';

const idxOptions = z
  .strictObject({
    path: z.string().min(1).describe('A folder with the four IDX files, unpacked or .gz.'),
    classes: z
      .array(z.string().min(1))
      .min(2)
      .default([...'0123456789'])
      .describe('The class names, in the order of their numbers.'),
  })
  .describe('Pictures in IDX files, as MNIST has them.');

const idx = {
  kind: 'idx',
  options: idxOptions,
  open: ({ path, classes }: z.output<typeof idxOptions>, context: SourceContext): Promise<ImageSource> => {
    const folder = context.resolvePath(path);
    return openIdx(folder, basename(folder), classes);
  },
};

/** Xiao, Rasul and Vollgraf, "Fashion-MNIST" (2017), table 2. */
const FASHION_CLASSES = [
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

const fashionOptions = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .optional()
      .describe("A folder with the four files; Debian's package when absent."),
  })
  .describe('Fashion-MNIST: 70,000 grey pictures of clothes, 28x28, in ten classes.');

const fashionMnist = {
  kind: 'fashion-mnist',
  options: fashionOptions,
  open: async ({ path }: z.output<typeof fashionOptions>, context: SourceContext): Promise<ImageSource> => {
    if (path === undefined && !existsSync(FASHION_FOLDER)) {
      throw new LimbeckError('data.not-found', 'Fashion-MNIST is not on this machine', {
        where: FASHION_FOLDER,
        remedy:
          'Install it (on Debian: apt-get install -y dataset-fashion-mnist), or set data.source.path to a folder with its four IDX files.',
      });
    }
    const folder = path === undefined ? FASHION_FOLDER : context.resolvePath(path);
    return openIdx(folder, 'Fashion-MNIST', FASHION_CLASSES, 'position');
  },
};

/** Every kind of source of pictures that a recipe can name. */
export const IMAGE_SOURCES = registry('image source', [idx, fashionMnist]);

export type ImageSourceOptions = {
  [S in (typeof IMAGE_SOURCES)[number] as S['kind']]: { kind: S['kind'] } & z.output<S['options']>;
}[(typeof IMAGE_SOURCES)[number]['kind']];

/** Opens the source that a recipe names. @throws LimbeckError where it is missing or not what it should be. */
export function openImageSource(options: ImageSourceOptions, context: SourceContext): Promise<ImageSource> {
  const { kind, ...rest } = options;
  const source = IMAGE_SOURCES.find((one) => one.kind === kind) as unknown as {
    open(options: unknown, context: SourceContext): Promise<ImageSource>;
  };
  return source.open(rest, context);
}
