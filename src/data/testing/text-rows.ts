import { LimbeckError } from '../../errors.ts';
import { BrokenValue } from '../broken-value.ts';
import { classLabels } from '../labels/class-labels.ts';
import { readLabel, textOfBytes } from '../labels/label-value.ts';
import { rawText } from '../modalities/text/raw-text.ts';
import type { BrokenRow, DataSource, FieldDeclaration, Sample, SourceRow, SplitName } from '../sample.ts';

/** A row with a text and a class, as tests write it down. */
export interface TextSample {
  id?: string;
  group?: string;
  where?: string;
  text: string;
  label?: string;
  noLabel?: string;
  split?: SplitName;
}

export interface TextFields {
  readonly text: string;
  readonly label: string;
}

/** A row of a source. */
export function rowOf({ text, label, noLabel, ...rest }: TextSample): SourceRow {
  const value = label ?? noLabel;
  return { sample: { ...rest, values: { text, ...(value !== undefined && { label: value }) } } };
}

/** The rows of a source as the text modality and the class labels read them; notes are left out. */
export async function* textRows(
  source: DataSource,
  fields: TextFields = { text: 'text', label: 'label' },
): AsyncGenerator<{ sample: TextSample } | { broken: BrokenRow }> {
  const declared = (await source.declares?.())?.[fields.label];
  for await (const row of source.rows()) {
    if ('sample' in row) yield textRow(row.sample, fields, declared);
    else if ('broken' in row) yield row;
  }
}

export function textRow(
  sample: Sample,
  fields: TextFields,
  declared?: FieldDeclaration,
): { sample: TextSample } | { broken: BrokenRow } {
  const { values, where = '', excerpt, folder: _, ...rest } = sample;
  const broken = (reason: BrokenRow['reason'], problem: string) => ({
    broken: { where, problem, ...(reason && { reason }), ...(excerpt && { excerpt }) },
  });
  try {
    if (!(fields.text in values))
      return broken('text', `there is no '${fields.text}' (the row has: ${Object.keys(values).join(', ')})`);
    const text = rawText(values[fields.text], fields.text);
    const raw = values[fields.label];
    const reader = classLabels({}).begin({
      output: 'logits',
      field: fields.label,
      title: 'rows',
      declared,
      notes: [],
    });
    reader.read(raw, { where, encoded: {} });
    const { label, noLabel } = readLabel(textOfBytes(raw), declared?.classes?.names);
    return {
      sample: {
        ...rest,
        ...(sample.where !== undefined && { where }),
        text,
        ...(label !== undefined && { label }),
        ...(noLabel !== undefined && { noLabel }),
      },
    };
  } catch (error) {
    if (error instanceof BrokenValue) return broken(error.reason, error.message);
    if (error instanceof LimbeckError) return broken('label', error.message);
    throw error;
  }
}
