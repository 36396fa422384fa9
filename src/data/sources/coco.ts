import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { issueInWords } from '../../issue-in-words.ts';
import { parseJson } from '../../json-problem.ts';
import { existsSync, statSync } from '../../platform/files.ts';
import { basename, dirname, join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { hashFile } from '../hash-file.ts';
import type { DataSource, FieldDeclaration, SourceRow, SplitName } from '../sample.ts';
import { defineSource, type SourceContext } from './source.ts';

const part = {
  annotations: z
    .string()
    .min(1)
    .describe('The file with images, annotations and categories: instances_train2017.json.'),
  images: z
    .string()
    .min(1)
    .optional()
    .describe('The folder that its images are in; that of the annotations when absent.'),
};

const options = z
  .strictObject({
    ...part,
    validation: z.strictObject(part).optional().describe('The same for validation.'),
    test: z.strictObject(part).optional().describe('The same for testing.'),
  })
  .meta({
    title: 'COCO',
    description:
      'Images with boxes, as COCO lists them: a JSON file with images, annotations and categories.',
  });

type Part = z.output<z.ZodObject<typeof part>>;

/** The file is read whole: texts in JavaScript are not longer. */
const MOST_BYTES = 500e6;

const fileSchema = z.looseObject({
  images: z.array(
    z.looseObject({
      id: z.union([z.int(), z.string()]),
      file_name: z.string().min(1),
      width: z.unknown().optional(),
      height: z.unknown().optional(),
    }),
  ),
  annotations: z.array(
    z.looseObject({
      image_id: z.unknown().optional(),
      category_id: z.unknown().optional(),
      bbox: z.unknown().optional(),
      iscrowd: z.unknown().optional(),
    }),
  ),
  categories: z.array(z.looseObject({ id: z.union([z.int(), z.string()]), name: z.string().min(1) })).min(1),
});

/**
 * Images with their boxes: columns `image`, a path, and `boxes`, a list of `{ label, box: [x, y, width, height] }` in pixels of
 * the image, in the size that the file gives it (`imageSize`). Boxes of crowds (`iscrowd`) are left out, and
 * counted; an image whose boxes are not to be used (no list of four, an unknown category) is a broken row.
 *
 * Lin et al., "Microsoft COCO: Common Objects in Context" (2014); https://cocodataset.org/#format-data.
 */
export const coco = defineSource({
  kind: 'coco',
  gives: 'image',
  task: 'object-detection',
  options,
  async open({ validation, test, ...train }, context): Promise<DataSource> {
    const parts = [
      { split: test || validation ? ('train' as const) : undefined, ...located(train, context) },
      ...(validation ? [{ split: 'validation' as const, ...located(validation, context) }] : []),
      ...(test ? [{ split: 'test' as const, ...located(test, context) }] : []),
    ];
    return {
      title: basename(parts[0]!.annotations),
      fingerprint: async () =>
        JSON.stringify([
          'coco',
          2,
          parts.map(({ annotations, images, split }) => [hashFile(annotations), images, split]),
        ]),
      declares: async (): Promise<Record<string, FieldDeclaration>> => {
        const [first, ...others] = parts.map(({ annotations }) => ({
          where: basename(annotations),
          names: namesIn(readFile(annotations)),
        }));
        const other = others.find(({ names }) => `${names}` !== `${first!.names}`);
        if (other) {
          throw new LimbeckError('data.class-names', 'the files have other categories, or in another order', {
            where: `${first!.where} and ${other.where}`,
            remedy: 'Give all of them the same categories.',
          });
        }
        return { boxes: { classes: first!, boxes: { format: 'xywh', unit: 'pixels' } } };
      },
      async *rows(signal) {
        for (const one of parts) {
          signal?.throwIfAborted();
          yield* rowsOf(one);
        }
      },
    };
  },
});

interface Located {
  readonly annotations: string;
  readonly images: string;
}

function located({ annotations, images }: Part, { resolvePath }: SourceContext): Located {
  const file = resolvePath(annotations);
  if (!existsSync(file)) {
    throw new LimbeckError('data.not-found', 'there is no such file of annotations', {
      where: file,
      remedy: 'Correct data.source.annotations; it is relative to the recipe.',
    });
  }
  return { annotations: file, images: images === undefined ? dirname(file) : resolvePath(images) };
}

type CocoFile = z.output<typeof fileSchema>;

/** @throws LimbeckError `data.damaged`, `data.too-large` */
function readFile(path: string): CocoFile {
  const { size } = statSync(path);
  if (size > MOST_BYTES) {
    throw new LimbeckError('data.too-large', `the file of annotations has ${(size / 1e6).toFixed(0)} MB`, {
      where: path,
      remedy: `It is read whole: split it, or leave the segmentations out, so that it has less than ${MOST_BYTES / 1e6} MB.`,
    });
  }
  let json: unknown;
  try {
    json = parseJson(readRegularText(path));
  } catch (cause) {
    throw damaged(path, `is no JSON: ${(cause as Error).message}`, cause);
  }
  const found = fileSchema.safeParse(json);
  if (found.success) {
    requireOnce(path, 'images', 'id', found.data.images);
    requireOnce(path, 'categories', 'id', found.data.categories);
    requireOnce(path, 'categories', 'name', found.data.categories);
    return found.data;
  }
  const [issue] = found.error.issues;
  throw damaged(path, `is not as COCO has it: ${issueInWords(issue)}`);
}

/** Boxes are matched by these: what is there twice would take those of the other. */
function requireOnce<Key extends string>(
  path: string,
  list: string,
  key: Key,
  entries: readonly Readonly<Record<Key, string | number>>[],
): void {
  const seen = new Map<string, number>();
  for (const [i, entry] of entries.entries()) {
    const value = `${entry[key]}`;
    const first = seen.get(value);
    if (first !== undefined)
      throw damaged(path, `has the ${key} '${value}' twice: ${list}[${first}] and ${list}[${i}]`);
    seen.set(value, i);
  }
}

function damaged(path: string, problem: string, cause?: unknown): LimbeckError {
  return new LimbeckError('data.damaged', `the file of annotations ${problem}`, {
    where: path,
    remedy:
      'It has to have images (id, file_name), annotations (image_id, category_id, bbox) and categories (id, name); ids, and names of categories, once each.',
    cause,
  });
}

/** In the order of their numbers, as the hub's models have them. */
function namesIn({ categories }: CocoFile): string[] {
  return [...categories].sort((a, b) => (Number(a.id) || 0) - (Number(b.id) || 0)).map(({ name }) => name);
}

function* rowsOf({
  annotations: path,
  images: folder,
  split,
}: Located & { readonly split: SplitName | undefined }): Generator<SourceRow> {
  const { images, annotations, categories } = readFile(path);
  const file = basename(path);
  const names = new Map(categories.map(({ id, name }) => [`${id}`, name]));
  const boxes = new Map(
    images.map(({ id, width, height }) => {
      const isSize = [width, height].every((side) => Number.isInteger(side) && (side as number) > 0);
      return [`${id}`, { own: [] as unknown[], ...(isSize && { imageSize: [width, height] }) }];
    }),
  );
  let crowds = 0;
  for (const [i, { image_id, category_id, bbox, iscrowd }] of annotations.entries()) {
    const found = boxes.get(`${image_id}`);
    if (!found) {
      const where = `${file}: annotations[${i}]`;
      yield { broken: { where, problem: `there is no image ${String(image_id)}`, reason: 'label' } };
    } else if (iscrowd === 1 || iscrowd === true) crowds++;
    else {
      const { own, ...size } = found;
      own.push({
        label: names.get(`${category_id}`) ?? `category ${String(category_id)}`,
        box: bbox,
        ...size,
      });
    }
  }
  if (crowds > 0)
    yield { note: { kind: 'format', message: `${file}: ${crowds} boxes of crowds are left out` } };
  for (const [i, { id, file_name }] of images.entries()) {
    yield {
      sample: {
        id: `${file}/${id}`,
        where: `images[${i}], ${file_name}`,
        folder,
        ...(split && { split }),
        values: { image: join(folder, file_name), boxes: boxes.get(`${id}`)?.own },
      },
    };
  }
}
