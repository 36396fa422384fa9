import { float } from '../../../onnx/attributes.ts';
import type { TestInput } from '../check-gradients.ts';
import { type GradientCase, of, squared, x } from './case.ts';

const productShapes: [string, number[], number[]][] = [
  ['matrices', [2, 3], [3, 4]],
  ['batch x matrix', [2, 5, 3], [3, 4]],
  ['batch x matrix of one', [2, 5, 3], [1, 3, 4]],
  ['batches', [2, 5, 3], [2, 3, 4]],
  ['broadcast batches', [2, 1, 5, 3], [4, 3, 2]],
  ['matrix x batch', [5, 3], [2, 3, 4]],
  ['vectors', [3], [3]],
  ['vector x matrix', [3], [3, 4]],
  ['vector x batch', [3], [2, 3, 4]],
  ['matrix x vector', [2, 3], [3]],
  ['batch x vector', [2, 4, 3], [3]],
  ['more leading ones', [5, 3], [1, 3, 4]],
];
export const MATRIX_CASES: GradientCase[] = [
  ...productShapes.map(
    ([form, a, b]): GradientCase => ['MatMul', form, { inputs: [x(...a), x(...b)], build: of('MatMul') }],
  ),
  ...[
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ].flatMap(([transA, transB]): GradientCase[] => {
    const a = transA ? [3, 5] : [5, 3];
    const b = transB ? [4, 3] : [3, 4];
    const attributes = { transA, transB, alpha: float(0.5), beta: float(2) };
    return [
      [
        'Gemm',
        `${transA}${transB}, row bias`,
        { inputs: [x(...a), x(...b), x(4)], build: of('Gemm', attributes) },
      ],
      [
        'Gemm',
        `${transA}${transB}, column bias`,
        { inputs: [x(...a), x(...b), x(5, 1)], build: of('Gemm', attributes) },
      ],
      [
        'com.microsoft::FusedMatMul',
        `${transA}${transB}, batches`,
        {
          inputs: [x(2, ...a), x(2, ...b)],
          build: of('FusedMatMul', { transA, transB, alpha: float(0.5) }, 'com.microsoft'),
          type: 'float32',
        },
      ],
      [
        'com.microsoft::FusedMatMul',
        `${transA}${transB}, batch x matrix`,
        {
          inputs: [x(2, ...a), x(...b)],
          build: of('FusedMatMul', { transA, transB, alpha: float(0.5) }, 'com.microsoft'),
          type: 'float32',
        },
      ],
    ];
  }),
  ...(
    [
      ['bhqd,bhkd->bhqk', [x(2, 2, 3, 4), x(2, 2, 5, 4)]],
      ['ij,jk', [x(2, 3), x(3, 4)]],
      ['ij,jk->k', [x(2, 3), x(3, 4)]],
      ['i,j,ij->j', [x(2), x(3), x(2, 3)]],
      ['ij->ji', [x(2, 3)]],
    ] as [string, TestInput[]][]
  ).map(
    ([equation, inputs]): GradientCase => [
      'Einsum',
      equation,
      { inputs, build: squared(of('Einsum', { equation })) },
    ],
  ),
  ['Gemm', 'no bias', { inputs: [x(2, 3), x(3, 4)], build: of('Gemm') }],
  ['Gemm', 'scalar bias', { inputs: [x(2, 3), x(3, 4), x()], build: of('Gemm') }],
];
