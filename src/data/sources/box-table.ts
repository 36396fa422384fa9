import { z } from 'zod';
import type { SourceRow } from '../sample.ts';
import { csv } from './csv.ts';
import { defineSource } from './source.ts';

const column = (what: string, name: string) => z.string().min(1).default(name).describe(what);

const options = z
  .strictObject({
    path: csv.options.shape.path,
    imageField: column("The column with the image's path.", 'image'),
    labelField: column('The column with the class of the box.', 'label'),
    boxFields: z
      .array(z.string().min(1))
      .length(4)
      .default(['xmin', 'ymin', 'xmax', 'ymax'])
      .describe('The four columns of a box.'),
    format: z
      .enum(['xyxy', 'xywh', 'cxcywh'])
      .default('xyxy')
      .describe('What the four are: two corners, corner and size, or centre and size.'),
    unit: z
      .enum(['pixels', 'relative'])
      .default('pixels')
      .describe("What they are counted in: pixels of each row's image, or parts of its width and height."),
    splitField: csv.options.shape.splitField,
    delimiter: csv.options.shape.delimiter,
    columns: csv.options.shape.columns,
    encoding: csv.options.shape.encoding,
  })
  .meta({
    title: 'Table of boxes',
    description: 'A CSV file with a row for each box; a row without label and box is an image without any.',
  });

/**
 * A CSV file with a row for each box, gathered by image: columns `image`, a path, and `boxes`, a list of `{ label, box }` whose
 * four numbers are as `format` and `unit` say. Boxes wait in memory, some hundred bytes each.
 */
export const boxTable = defineSource({
  kind: 'box-table',
  gives: 'image',
  task: 'object-detection',
  options,
  async open({ imageField, labelField, boxFields, format, unit, ...table }, context) {
    const wanted = (name: string, key: string) => ({ name, key: `data.source.${key}` });
    // A table that lacks one of them has no boxes at all: all are needed, as inputs are.
    const columns = {
      inputs: [
        wanted(imageField, 'imageField'),
        wanted(labelField, 'labelField'),
        ...boxFields.map((name) => wanted(name, 'boxFields')),
      ],
      outputs: [],
    };
    const source = await csv.open(csv.options.parse(table), { ...context, columns });
    const kind = JSON.stringify(['box-table', 1, imageField, labelField, boxFields]);
    return {
      title: source.title,
      declares: async () => ({ boxes: { boxes: { format, unit } } }),
      fingerprint: async () => `${kind} ${await source.fingerprint()}`,
      async *rows(signal): AsyncGenerator<SourceRow> {
        const images = new Map<
          string,
          Extract<SourceRow, { sample: unknown }>['sample'] & { boxes: unknown[] }
        >();
        for await (const row of source.rows(signal)) {
          if (!('sample' in row)) {
            yield row;
            continue;
          }
          const { values, where = '', ...rest } = row.sample;
          const image = `${values[imageField] ?? ''}`.trim();
          if (image === '') {
            yield { broken: { where, problem: `'${imageField}' is empty`, reason: 'missing' } };
            continue;
          }
          const known = images.get(image) ?? { ...rest, where, values: { image }, boxes: [] };
          images.set(image, known);
          const box = boxFields.map((name) => values[name]);
          const label = values[labelField];
          const isEmpty = [label, ...box].every((value) => value === undefined || `${value}`.trim() === '');
          if (!isEmpty) known.boxes.push({ label, box });
        }
        for (const { boxes, values, ...sample } of images.values())
          yield { sample: { ...sample, values: { ...values, boxes } } };
      },
    };
  },
});
