import { statSync } from 'node:fs';
import { extname } from 'node:path';
import type { FileSurvey } from '../../data/survey/survey-file.ts';
import { readRegularText } from '../../regular-file.ts';
import { formatCount, plainLine } from '../progress/format.ts';
import type { Proposal } from './proposal.ts';

const TASK = 'object-detection';
/** Larger files are not looked into. */
const MOST_BYTES = 200e6;
/** Sizes that images are brought to. */
const SIZES = [64, 96, 128, 160, 224];

interface Coco {
  readonly images: readonly { readonly width?: number; readonly height?: number }[];
  readonly annotations: readonly unknown[];
  readonly categories: readonly { readonly name?: string }[];
}

/** What a file proposes that lists images and boxes as COCO does; undefined for any other. */
export function proposeCoco(path: string, written: string): Omit<Proposal, 'survey'> | undefined {
  if (
    extname(path).toLowerCase() !== '.json' ||
    !(statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)
  )
    return undefined;
  if (statSync(path).size > MOST_BYTES) return undefined;
  let found: Partial<Coco>;
  try {
    found = JSON.parse(readRegularText(path)) as Partial<Coco>;
  } catch {
    return undefined;
  }
  const { images, annotations, categories } = found ?? {};
  if (!Array.isArray(images) || !Array.isArray(annotations) || !Array.isArray(categories)) return undefined;
  const sides = images
    .map(({ width, height }) => Math.min(Number(width), Number(height)))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const names = categories.map(({ name }) => plainLine(`${name}`));
  return {
    source: { kind: 'coco', annotations: written },
    task: TASK,
    set: [inputOf('image', sides[Math.floor(sides.length / 2)])],
    seen: [
      `images with boxes, as COCO lists them: ${formatCount(images.length)} images, ${formatCount(annotations.length)} boxes`,
      `classes: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`,
      'images are looked for beside the file: data.source.images names another folder',
    ],
  };
}

const CORNERS = ['xmin', 'ymin', 'xmax', 'ymax'];

/** What a table proposes that has a row for each box; undefined for any other. */
export function proposeBoxTable(
  { kind, choice, columns, options, files, rows, more }: FileSurvey,
  written: string,
): Omit<Proposal, 'survey'> | undefined {
  const names = columns.map(({ name }) => name);
  const image = choice.files?.modality === 'image' ? choice.files.field : undefined;
  if (kind !== 'csv' || image === undefined || !CORNERS.every((name) => names.includes(name)))
    return undefined;
  const label =
    names.find((name) => /^(label|class|category|name)$/i.test(name)) ??
    (CORNERS.includes(choice.labelField ?? '') ? undefined : choice.labelField);
  const sides = files?.sizes ?? [];
  return {
    source: {
      ...{ kind: 'box-table', path: written, ...options, imageField: image },
      ...(label !== undefined && { labelField: label }),
    },
    task: TASK,
    set: [inputOf('image', sides[Math.floor(sides.length / 2)])],
    seen: [
      `a table of boxes, a row each: ${more ? 'the first ' : ''}${formatCount(rows)} rows`,
      `image: ${plainLine(image)}, class: ${plainLine(label ?? 'label')}, corners in pixels: ${CORNERS.join(', ')}`,
    ],
  };
}

/** Images are stretched: what is cut off would take boxes along. */
function inputOf(field: string, side: number | undefined): string {
  const size = SIZES.findLast((one) => one <= (side ?? 128)) ?? SIZES[0];
  return `inputs=${JSON.stringify({ image: { modality: 'image', field, size, fit: 'stretch' } })}`;
}
