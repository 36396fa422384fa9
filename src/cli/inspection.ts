import { basename } from 'node:path';
import type { InspectedValue, ModelInspection } from '../index.ts';
import { formatBytes, formatCount, textWidth } from './progress/format.ts';
import { table } from './table.ts';

const FOUND =
  'These layers are found without being told. To choose others, change this and paste it into a recipe:';

type Layer = ModelInspection['anatomy']['layers'][number];

/** What a person reads of a model: what it is, its layers, and taps to paste into a recipe. */
export function drawInspection(inspection: ModelInspection, columns: number): string {
  const { anatomy, fused, openPixels, values } = inspection;
  const notes = [
    ...(openPixels && anatomy.family === 'convolutional'
      ? ['The model leaves the size of its images open: feature maps are those of 224x224 (--size).']
      : []),
    ...fused.map((operator) => `Attention inside ${operator} could not be taken apart (docs/taps.md).`),
  ];
  const parts = [head(inspection), ends(inspection), layersOf(anatomy.layers, columns)];
  if (notes.length > 0) parts.push(`${notes.join('\n')}\n`);
  if (values) parts.push(drawValues(values));
  else parts.push(drawTaps(inspection));
  return parts.filter((part) => part !== '').join('\n');
}

function head({ file, anatomy, parameters, bytes, opset, nodes }: ModelInspection): string {
  const { family, layers } = anatomy;
  const kind = family === 'other' ? 'no known architecture' : family;
  const count = layers.length === 1 ? '1 layer' : `${layers.length} layers`;
  return (
    `${basename(file)}: ${kind}, ${count}\n` +
    `${formatCount(parameters)} parameters, ${formatBytes(bytes)}, ${formatCount(nodes)} nodes, opset ${opset}\n`
  );
}

function ends({ inputs, outputs, anatomy }: ModelInspection): string {
  const rows = (title: string, values: readonly InspectedValue[]) =>
    values.map((value, i) => [i === 0 ? title : '', value.name, typeOf(value)]);
  const attributed = anatomy.features ? [['attributed', anatomy.features, '']] : [];
  return table([...rows('inputs', inputs), ...rows('outputs', outputs), ...attributed], [0, 1, 2]);
}

/** A row for each layer where that fits, else a few lines. */
function layersOf(layers: readonly Layer[], columns: number): string {
  if (layers.length === 0) return 'No layers were found; --all lists every value.\n';
  const shown = COLUMNS.filter(({ cell }) => layers.some((layer) => cell(layer) !== ''));
  const rows = [
    ['', 'layer', ...shown.map(({ title }) => title)],
    ...layers.map((layer, i) => [`${i}`, layer.name, ...shown.map(({ cell }) => cell(layer))]),
  ];
  const left = [1, ...shown.flatMap(({ right }, i) => (right ? [] : [i + 2]))];
  const wide = table(rows, left);
  if (wide.split('\n').every((line) => textWidth(line) <= columns)) return wide;
  return layers.map((layer, i) => `${i} ${layer.name}\n${linesOf(layer)}`).join('');
}

const COLUMNS: readonly { title: string; right?: boolean; cell(layer: Layer): string }[] = [
  { title: 'attention', cell: ({ attention }) => attention?.probabilities ?? '' },
  { title: 'heads', right: true, cell: ({ attention }) => (attention ? `${attention.heads}` : '') },
  { title: 'hidden', cell: ({ hidden }) => hidden?.name ?? '' },
  { title: 'width', right: true, cell: ({ hidden }) => (hidden ? `${hidden.width}` : '') },
  { title: 'features', cell: ({ features }) => features?.name ?? '' },
  { title: 'size', right: true, cell: ({ features }) => (features ? sizeOf(features) : '') },
  { title: '', cell: ({ features }) => (features?.endsStage ? 'ends stage' : '') },
];

function linesOf({ attention, hidden, features }: Layer): string {
  const lines = [
    attention && ['attention', `${attention.heads} heads`, attention.probabilities],
    hidden && ['hidden', `width ${hidden.width}`, hidden.name],
    features && ['features', `${sizeOf(features)}${features.endsStage ? ', ends stage' : ''}`, features.name],
  ].filter((line) => line !== undefined);
  const rows = lines.map((line) => line.map((cell, i) => (i === 0 ? `  ${cell}` : cell)));
  return table(rows, [0, 1, 2]);
}

function sizeOf({ channels, height, width }: NonNullable<Layer['features']>): string {
  return `${channels}x${height}x${width}`;
}

function drawTaps({ taps }: ModelInspection): string {
  const kinds = Object.entries(taps);
  if (kinds.length === 0) return '';
  const lines = kinds.map(([kind, names]: [string, readonly string[]]) => {
    const list = names.map(quoted);
    return list.length === 1
      ? `      ${kind}: [${list[0]}]\n`
      : `      ${kind}:\n${list.map((name) => `        - ${name}\n`).join('')}`;
  });
  return `${FOUND}\n\nknowledge:\n  taps:\n    teacher:\n${lines.join('')}`;
}

/** A string in YAML. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function drawValues(values: readonly InspectedValue[]): string {
  const rows = values.map((value) => [value.name, typeOf(value), value.from]);
  return table([['value', 'type', 'from'], ...rows], [0, 1, 2]);
}

/** `float32[batch, 4, sequence, sequence]` */
function typeOf({ type, shape }: InspectedValue): string {
  return `${type ?? '?'}${shape ? `[${shape.join(', ')}]` : ''}`;
}
