import { PRECISIONS, type Precision } from '../export/precisions.ts';
import type { LayerPrecision, TrainResult } from './result.ts';

/** A smaller file of the student, with what became of its layers. */
export interface LayeredFile {
  readonly precision: Exclude<Precision, 'f32'>;
  readonly layers: readonly LayerPrecision[];
}

/** The smaller files of a student whose layers are not all alike, or were measured one by one. */
export function layeredFiles({
  studentInt8,
  further = [],
}: Pick<TrainResult, 'studentInt8' | 'further'>): LayeredFile[] {
  const files: LayeredFile[] = [
    { precision: 'int8' as const, layers: studentInt8?.layers ?? [] },
    ...further.map(({ precision, result }) => ({ precision, layers: result.layers ?? [] })),
  ];
  return files.filter(({ precision, layers }) =>
    layers.some(
      (one) => one.precision !== precision || one.drop !== undefined || one.fourBitCost !== undefined,
    ),
  );
}

/** `the int8 file has 2 of 7 layers in float32 (a, b) and 1 in 4-bit weights (c)`, for each file of several precisions. */
export function mixedLines(result: Pick<TrainResult, 'studentInt8' | 'further'>): string[] {
  return layeredFiles(result).flatMap(({ precision, layers }) => {
    const others = (Object.keys(PRECISIONS) as Precision[]).flatMap((other) => {
      const own = layers.filter((one) => one.precision === other).map(({ layer }) => layer);
      return other === precision || own.length === 0 ? [] : [{ title: PRECISIONS[other].title, own }];
    });
    if (others.length === 0) return [];
    const told = others.map(
      ({ title, own }, i) =>
        `${own.length}${i === 0 ? ` of ${layers.length} layers` : ''} in ${title} (${own.join(', ')})`,
    );
    return [`the ${precision} file has ${told.join(' and ')}`];
  });
}
