import type { FileSurvey } from '../../data/survey/survey-file.ts';
import { LimbeckError } from '../../errors.ts';
import { formatCount, plainLine } from '../progress/format.ts';
import { boxSettings } from './box-settings.ts';
import type { Proposal } from './proposal.ts';

/** How tables name the four numbers of a box. */
const FORMS = [
  {
    format: 'xyxy',
    names: [
      /^x_?min$|^left$|^x1$/i,
      /^y_?min$|^top$|^y1$/i,
      /^x_?max$|^right$|^x2$/i,
      /^y_?max$|^bottom$|^y2$/i,
    ],
  },
  {
    format: 'cxcywh',
    names: [/^(cx|x_?cent(er|re))$/i, /^(cy|y_?cent(er|re))$/i, /^w(idth)?$/i, /^h(eight)?$/i],
  },
  { format: 'xywh', names: [/^x$|^x_?min$|^left$/i, /^y$|^y_?min$|^top$/i, /^w(idth)?$/i, /^h(eight)?$/i] },
] as const;
const LABEL_NAMES = /^(label|class|category|name)([_ -]?name)?$/i;
/** The keys by which a list of boxes is known, of one box. */
const BOX_KEYS = ['box', 'bbox', 'xmin', 'left', 'x'];
const LIST_NAMES = /^(boxes|objects|annotations|detections)$/i;

/** What a table proposes that has a row for each box, or a list of boxes in each row; undefined for any other. */
export function proposeBoxes(survey: FileSurvey, written: string): Proposal | undefined {
  const { kind, choice, columns, options, files, rows, more } = survey;
  if (choice.files?.modality !== 'image') return undefined;
  const image = choice.files.field;
  const sides = files?.sizes ?? [];
  const inRows = `${more ? 'the first ' : ''}${formatCount(rows)} rows`;
  const lists = columns.filter(({ hasLists, values }) => hasLists && holdsBoxes(values));
  const list = lists.find(({ name }) => LIST_NAMES.test(name)) ?? (lists.length === 1 ? lists[0] : undefined);
  if (list) {
    const source = { kind, path: written, ...options };
    const seen = [
      `images with a list of boxes each: ${inRows}`,
      `image: ${plainLine(image)}, boxes: ${plainLine(list.name)}`,
    ];
    const unit = areRelative(list.values) ? {} : ({ unit: 'pixels' } as const);
    return { source, ...boxSettings(image, list.name, sides, unit), seen };
  }
  const form = boxForm(columns.filter(({ isNumber }) => isNumber).map(({ name }) => name));
  const label =
    columns.find(({ name }) => LABEL_NAMES.test(name))?.name ??
    (form?.fields.includes(choice.labelField ?? '') ? undefined : choice.labelField);
  if (!form || label === undefined) return undefined;
  if (kind !== 'csv') {
    throw new LimbeckError(
      'cli.no-answer',
      `a row for each box is read from CSV, not from ${kind === 'jsonl' ? 'JSON lines' : kind}`,
      {
        where: `${written}: ${columns.map(({ name }) => plainLine(name)).join(', ')}`,
        remedy:
          "Write it as CSV, or with a row for each image and a list 'boxes' of { label, xmin, ymin, xmax, ymax } in it.",
      },
    );
  }
  const isRelative = form.fields.every((field) =>
    within(columns.find(({ name }) => name === field)?.values ?? []),
  );
  return {
    source: {
      ...{ kind: 'box-table', path: written, ...options, imageField: image, labelField: label },
      ...{ boxFields: form.fields, format: form.format },
      ...(isRelative && { unit: 'relative' }),
      ...(choice.splitField && { splitField: choice.splitField }),
    },
    ...boxSettings('image', 'boxes', sides),
    seen: [
      `a table of boxes, a row each: ${inRows}`,
      `image: ${plainLine(image)}, class: ${plainLine(label)}, ${MEANINGS[form.format]} in ${isRelative ? 'parts of width and height' : 'pixels'}: ${form.fields.map(plainLine).join(', ')}`,
    ],
  };
}

const MEANINGS = { xyxy: 'two corners', cxcywh: 'centre and size', xywh: 'corner and size' } as const;

function boxForm(names: readonly string[]) {
  for (const { format, names: wanted } of FORMS) {
    const fields = wanted.flatMap((name) => names.find((one) => name.test(one)) ?? []);
    if (new Set(fields).size === wanted.length) return { format, fields };
  }
  return undefined;
}

/** Whether all of some numbers are parts of a whole. */
function within(values: readonly (readonly [string, number])[]): boolean {
  return values.every(([value]) => Number(value) >= 0 && Number(value) <= 1);
}

/** Whether no number of some lists of boxes is one of pixels. @param values as JSON */
function areRelative(values: readonly (readonly [string, number])[]): boolean {
  return !values.some(([value]) =>
    (value.match(/[-+]?\d+(\.\d+)?/g) ?? []).some((number) => Number(number) > 2),
  );
}

/** Whether a value that is a list has boxes in it. @param values as JSON */
function holdsBoxes(values: readonly (readonly [string, number])[]): boolean {
  return values.some(([value]) => {
    try {
      const [first] = JSON.parse(value) as unknown[];
      return typeof first === 'object' && first !== null && BOX_KEYS.some((key) => key in first);
    } catch {
      return false;
    }
  });
}
