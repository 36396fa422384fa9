import { expect, it } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { Student } from '../../students/student.ts';
import { foreseeTransforms, type TransformList } from './apply-transforms.ts';

/** A product of a matrix [rows, columns], which is read twice where it is `shared`. */
function student(rows: number, columns: number, shared = false): Student {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', rows]);
  const matrix = g.initializer('matrix', float32(new Array(rows * columns).fill(1), [rows, columns]));
  const product = g.matMul(x, matrix);
  const also = shared ? g.add(product, g.matMul(g.relu(x), matrix)) : product;
  g.output(also, 'y');
  return { graph: g.build(), parameters: ['matrix'] };
}

const foresee = (of: Student, item: TransformList['items'][number], fourBit?: TransformList['fourBit']) =>
  foreseeTransforms(of, { items: [item], seed: 1, outputs: ['y'], ...(fourBit && { fourBit }) });

it('refuses low-rank factors of a student whose matrices are all shared', async () => {
  const item = { kind: 'low-rank', keep: 0.9, epochs: 1 } as const;
  await expect(foresee(student(8, 8, true), item)).rejects.toMatchObject({
    code: 'compress.invalid',
    where: 'compress[0]',
    message: expect.stringContaining('no matrix that could become two'),
  });
  await expect(foresee(student(8, 8), item)).resolves.toBeUndefined();
});

it('refuses training for 4 bits without such a file, and of layers that are too small for it', async () => {
  const item = { kind: 'qat', bits: 4, equalise: false } as unknown as TransformList['items'][number];
  const form = { block: 32, expand: 'load' } as const;
  await expect(foresee(student(64, 64), item)).rejects.toMatchObject({
    code: 'compress.invalid',
    message: expect.stringContaining('without a 4-bit file'),
  });
  await expect(foresee(student(2, 2), item, form)).rejects.toMatchObject({
    code: 'compress.invalid',
    where: 'compress[0]',
    message: expect.stringContaining('fewer bytes in 4 bits'),
  });
  await expect(foresee(student(64, 64), item, form)).resolves.toBeUndefined();
});
