import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { existsSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { DataSource, SourceRow } from '../sample.ts';
import { csv } from './csv.ts';
import { defineSource, type SourceContext } from './source.ts';

/** The findings of CheXpert, in the order of its table (Irvin et al., 2019, table 1). */
export const FINDINGS = [
  'No Finding',
  'Enlarged Cardiomediastinum',
  'Cardiomegaly',
  'Lung Opacity',
  'Lung Lesion',
  'Edema',
  'Consolidation',
  'Pneumonia',
  'Atelectasis',
  'Pneumothorax',
  'Pleural Effusion',
  'Pleural Other',
  'Fracture',
  'Support Devices',
] as const;

const finding = z.enum(FINDINGS);
const policy = z.enum(['ignore', 'zeros', 'ones']);

const options = z
  .strictObject({
    path: z.string().min(1).describe('The folder with train.csv and valid.csv, or a table of that form.'),
    root: z
      .string()
      .min(1)
      .optional()
      .describe(
        "The folder that the paths of images begin in; the table's own, with or without the first part of a path, when absent.",
      ),
    valid: z
      .enum(['test', 'validation'])
      .default('test')
      .describe('What valid.csv is: its labels are of radiologists, those of train.csv of a program.'),
    findings: z.array(finding).min(1).optional().describe('Which of the fourteen; all when absent.'),
    uncertain: z
      .union([policy, z.partialRecord(finding, policy)])
      .default('ignore')
      .describe(
        'What -1 says, for all findings or by finding: nobody knows (ignore, also of those that are not named), it is not there (zeros), it is there (ones).',
      ),
    unmentioned: z
      .enum(['zeros', 'ignore'])
      .default('zeros')
      .describe('What an empty cell says: it is not there (as its authors take it), or nobody knows.'),
    views: z
      .array(z.enum(['frontal', 'lateral']))
      .min(1)
      .optional()
      .describe('Which views; all when absent.'),
    projections: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Which projections of frontal views, as the column AP/PA has them: AP, PA; all when absent.'),
    boxes: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A CSV file with boxes of some images (path, x, y, w, h, class; pixels of the image): a row a box, or a row with the path alone for an image without any.',
      ),
    reports: z
      .string()
      .min(1)
      .optional()
      .describe('A CSV file with a sentence for some images (path, sentence).'),
  })
  .meta({
    title: 'CheXpert',
    description:
      'Chest X-rays in the layout of CheXpert: fourteen findings of which some are uncertain, by patient, with boxes and sentences from tables beside it.',
  });

type Options = z.output<typeof options>;

const PATIENT = /patient\d+/i;
const VIEW = 'Frontal/Lateral';
const PROJECTION = 'AP/PA';

/**
 * Images with their columns: `image`, a path; `findings`, a record of 1 (there), 0 (not there) and null (nobody knows); `boxes` and
 * `sentence` of those that have some; `age`, `sex`, `view`. A patient's images are never in two splits.
 *
 * Irvin et al., "CheXpert: A Large Chest Radiograph Dataset with Uncertainty Labels and Expert Comparison" (2019; arXiv 1901.07031);
 * the policies are those of section 3 (U-Ignore, U-Zeros, U-Ones).
 */
export const chexpert = defineSource({
  kind: 'chexpert',
  gives: 'image',
  options,
  async open(chosen, context): Promise<DataSource> {
    const tables = tablesOf(chosen, context);
    const findings = chosen.findings ?? FINDINGS;
    const table = await openTable(tables.path, ['Path', ...findings], context);
    const source = withErrors(table, (error) => namedError(error, remedyOf));
    const boxes =
      chosen.boxes &&
      (await openBeside('boxes', chosen.boxes, ['path', 'x', 'y', 'w', 'h', 'class'], context));
    const reports =
      chosen.reports && (await openBeside('reports', chosen.reports, ['path', 'sentence'], context));
    const joined = [boxes, reports].filter((one) => one !== undefined && one !== '') as DataSource[];
    // Without it the recipe's splits draw the test set from train.csv, whose labels are a program's.
    const heldOut = typeof tables.path === 'string' || chosen.valid in tables.path;
    return {
      title: heldOut ? source.title : `${source.title}, without valid.csv`,
      async declares() {
        const where = 'the layout of CheXpert';
        return {
          findings: { classes: { names: findings, where } },
          boxes: { boxes: { format: 'xywh', unit: 'pixels' } as const },
        };
      },
      async fingerprint() {
        const parts = await Promise.all([source, ...joined].map((one) => one.fingerprint()));
        return canonicalJson({ chexpert: 1, ...chosen, parts });
      },
      async *rows(signal): AsyncGenerator<SourceRow> {
        const found: Gathered = { boxes: new Map(), sentences: new Map() };
        if (boxes) yield* gatherBoxes(boxes, found, signal);
        if (reports) yield* gatherSentences(reports, found, signal);
        const trained = new Set<string>();
        const unmet = new Set([...found.boxes.keys(), ...found.sentences.keys()]);
        let root: ReturnType<typeof rootOf> | undefined;
        let isTrained = false;
        for await (const row of source.rows(signal)) {
          if (!('sample' in row)) {
            isTrained ||= 'broken' in row;
            yield row;
            continue;
          }
          isTrained ||= row.sample.split === undefined || row.sample.split === 'train';
          const { values, where = '', folder = '', split } = row.sample;
          const path = textIn(values.Path);
          unmet.delete(path);
          const patient = PATIENT.exec(path)?.[0];
          const broken = (reason: 'id' | 'split' | 'label', problem: string, remedy: string): SourceRow => ({
            broken: { where, problem, reason, remedy },
          });
          if (patient === undefined) {
            yield broken('id', `'Path' names no patient: ${path || 'nothing'}`, PATIENT_REMEDY);
            continue;
          }
          const view = textIn(values[VIEW]).toLowerCase();
          const projection = textIn(values[PROJECTION]);
          if (chosen.views && !chosen.views.some((one) => one === view)) continue;
          if (chosen.projections && view === 'frontal' && !chosen.projections.includes(projection)) continue;
          if (split === 'train') trained.add(patient);
          else if (trained.has(patient)) {
            yield broken('split', `${patient} is in the training table, too`, SPLIT_REMEDY);
            continue;
          }
          const labels: Record<string, 0 | 1 | null> = {};
          const strange = findings.find((name) => {
            const value = labelOf(values[name], policyOf(chosen.uncertain, name), chosen.unmentioned);
            if (value !== undefined) labels[name] = value;
            return value === undefined;
          });
          if (strange !== undefined) {
            yield broken(
              'label',
              `'${strange}' is ${textIn(values[strange])}, not 1, 0, -1 or empty`,
              LABEL_REMEDY,
            );
            continue;
          }
          root ??= rootOf(chosen, folder, path, context);
          const own = found.boxes.get(path);
          const sentence = found.sentences.get(path);
          yield {
            sample: {
              group: patient.toLowerCase(),
              ...(split && { split }),
              where,
              folder: root.folder,
              values: {
                image: root.inside(path),
                findings: labels,
                ...(own && { boxes: own }),
                ...(sentence !== undefined && { sentence }),
                age: values.Age,
                sex: values.Sex,
                view: projection ? `${view} ${projection}` : view,
              },
            },
          };
        }
        if (!isTrained) throw nothingToTrain(tables.path, context);
        if (unmet.size > 0) yield { note: { kind: 'ignored', message: unmetIn(unmet) } };
      },
    };
  },
});

const PATIENT_REMEDY =
  'Write paths as CheXpert has them, with the patient (train/patient00001/study1/view1_frontal.jpg): a patient is in one split.';
const SPLIT_REMEDY = 'Leave the patients of valid.csv out of train.csv.';
const LABEL_REMEDY =
  'Write 1 (there), 0 (not there), -1 (uncertain) or nothing into the columns of findings.';

function remedyOf({ code, message, remedy = '' }: LimbeckError): string | undefined {
  if (code !== 'data.missing-column') return undefined;
  const meant = /^Did you mean '[^']*'\? /.exec(remedy)?.[0] ?? '';
  return message.includes("'Path'")
    ? 'Give the table its header, as CheXpert has it: the paths of images are in the column Path.'
    : `${meant}Give the column the name that CheXpert has for it, or list the findings that the table has in data.source.findings.`;
}

function nothingToTrain(path: unknown, { resolvePath }: SourceContext): LimbeckError {
  const file = typeof path === 'string' ? path : (path as { train: string }).train;
  return new LimbeckError('data.empty', 'the table of training images has no rows', {
    where: resolvePath(file),
    remedy: 'Give the whole train.csv of CheXpert: a header, and a row an image.',
  });
}

function unmetIn(paths: ReadonlySet<string>): string {
  const [first] = paths;
  return `boxes or sentences of ${paths.size} paths belong to no image of the table; the first: ${first || 'an empty path'}`;
}

/** By the path of the image. */
interface Gathered {
  readonly boxes: Map<string, { readonly label: unknown; readonly box: readonly unknown[] }[]>;
  readonly sentences: Map<string, string>;
}

/** The table, or those of a folder with their splits. */
function tablesOf({ path, valid }: Options, { resolvePath }: SourceContext) {
  if (path.toLowerCase().endsWith('.csv')) return { path };
  const files = { train: join(path, 'train.csv'), [valid]: join(path, 'valid.csv') };
  if (existsSync(resolvePath(files.train))) {
    const { train, ...held } = files;
    return { path: existsSync(resolvePath(join(path, 'valid.csv'))) ? { train, ...held } : { train } };
  }
  throw new LimbeckError('data.missing', 'the folder has no train.csv', {
    where: resolvePath(path),
    remedy:
      'Set data.source.path to the folder of CheXpert (CheXpert-v1.0-small), with train.csv and valid.csv.',
  });
}

function openTable(path: unknown, columns: readonly string[], context: SourceContext): Promise<DataSource> {
  const wanted = columns.map((name) => ({ name, key: 'data.source' }));
  return csv.open(csv.options.parse({ path }), { ...context, columns: { inputs: wanted, outputs: [] } });
}

/** A table beside that of images. Errors about it, also those told while it is read, have the key that names it. */
async function openBeside(
  key: 'boxes' | 'reports',
  path: string,
  columns: readonly string[],
  context: SourceContext,
): Promise<DataSource> {
  const remedy = `Set data.source.${key} to a CSV file with the columns ${columns.join(', ')}; its path is relative to the folder of the recipe.`;
  const named = (error: unknown) => namedError(error, () => remedy);
  try {
    return withErrors(await openTable(path, columns, context), named);
  } catch (error) {
    throw named(error);
  }
}

/** An error of a table with the remedy for what the table is here; the same where there is none. */
function namedError(error: unknown, remedyFor: (error: LimbeckError) => string | undefined): unknown {
  const remedy = error instanceof LimbeckError ? remedyFor(error) : undefined;
  if (!(error instanceof LimbeckError) || remedy === undefined) return error;
  const { code, message, where } = error;
  return new LimbeckError(code, message, { ...(where !== undefined && { where }), remedy, cause: error });
}

/** A table whose errors, as it is read, are told otherwise. */
function withErrors(table: DataSource, named: (error: unknown) => unknown): DataSource {
  return {
    title: table.title,
    fingerprint: () => table.fingerprint(),
    async *rows(signal) {
      try {
        yield* table.rows(signal);
      } catch (error) {
        throw named(error);
      }
    },
  };
}

/** The rows of a table that are no samples; its samples are gathered, and what `gather` says is wrong with one is a broken row. */
async function* gathered(
  table: DataSource,
  gather: (values: Readonly<Record<string, unknown>>) => string | undefined,
  signal?: AbortSignal,
): AsyncGenerator<SourceRow> {
  for await (const row of table.rows(signal)) {
    if (!('sample' in row)) {
      yield row;
      continue;
    }
    const { values, where = '' } = row.sample;
    const problem = gather(values);
    if (problem) yield { broken: { where, problem, reason: 'label' } };
  }
}

function gatherBoxes(table: DataSource, { boxes }: Gathered, signal?: AbortSignal) {
  return gathered(
    table,
    ({ path, x, y, w, h, class: label }) => {
      const own = boxes.get(textIn(path)) ?? [];
      boxes.set(textIn(path), own);
      if ([x, y, w, h, label].some((value) => textIn(value) !== '')) own.push({ label, box: [x, y, w, h] });
      return undefined;
    },
    signal,
  );
}

function gatherSentences(table: DataSource, { sentences }: Gathered, signal?: AbortSignal) {
  return gathered(
    table,
    (values) => {
      const path = textIn(values.path);
      if (sentences.has(path)) return `a second sentence for ${path}; the first one counts`;
      sentences.set(path, textIn(values.sentence));
      return undefined;
    },
    signal,
  );
}

function policyOf(uncertain: Options['uncertain'], name: (typeof FINDINGS)[number]): z.output<typeof policy> {
  return typeof uncertain === 'string' ? uncertain : (uncertain[name] ?? 'ignore');
}

/** 1 or 0, null where nobody knows; undefined for what is none of the labels. */
function labelOf(
  cell: unknown,
  uncertain: z.output<typeof policy>,
  unmentioned: Options['unmentioned'],
): 0 | 1 | null | undefined {
  const text = textIn(cell);
  if (text === '') return unmentioned === 'zeros' ? 0 : null;
  const number = Number(text);
  if (number === 1 || number === 0) return number;
  if (number !== -1) return undefined;
  return { ignore: null, zeros: 0 as const, ones: 1 as const }[uncertain];
}

/** Where paths begin: most have the name of the data set's own folder in them, whatever that is called now. */
function rootOf({ root }: Options, folder: string, path: string, { resolvePath }: SourceContext) {
  if (root !== undefined) return { folder: resolvePath(root), inside: (one: string) => one };
  const inside = (one: string) => one.replace(/^[^/]*\//, '');
  const isInside = !existsSync(join(folder, path)) && existsSync(join(folder, inside(path)));
  return { folder, inside: isInside ? inside : (one: string) => one };
}

function textIn(value: unknown): string {
  return value === undefined || value === null ? '' : String(value).trim();
}
