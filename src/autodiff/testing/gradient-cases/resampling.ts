import { float } from '../../../onnx/attributes.ts';
import { float32 } from '../../../onnx/tensor.ts';
import { type Build, type GradientCase, named, of, squared, within, x } from './case.ts';

type Attributes = Parameters<typeof of>[1];

const byScales =
  (scales: number[], attributes: Attributes): Build =>
  (g, [value]) =>
    g.op('Resize', [value, null, g.constant(float32(scales))], attributes);
/** Sizes of the last two axes. */
const bySizes =
  (sizes: number[], attributes: Attributes): Build =>
  (g, [value]) =>
    g.op('Resize', [value, null, null, g.ints(sizes)], { axes: [2, 3], ...attributes });
const mode = (name: string, coordinates = 'half_pixel'): Attributes => ({
  mode: name,
  coordinate_transformation_mode: coordinates,
});

const sizesFromShape =
  (height: number, width: number): Build =>
  (g, [value]) => {
    const sizes = g.concat([g.op('Shape', [value], { end: 2 }), g.ints([height, width])], 0);
    return g.op('Resize', [value, null, null, sizes], { mode: 'linear' });
  };

const RESIZES: [form: string, input: number[], build: Build][] = [
  [
    'nearest, twice',
    [2, 2, 3, 2],
    byScales([1, 1, 2, 2], { ...mode('nearest', 'asymmetric'), nearest_mode: 'floor' }),
  ],
  ['nearest, 3 times, half pixel', [1, 2, 2, 3], byScales([1, 1, 3, 2], mode('nearest'))],
  ['nearest, by 1.6', [1, 2, 5, 4], byScales([1, 1, 1.6, 0.6], { ...mode('nearest'), nearest_mode: 'ceil' })],
  [
    'nearest, prefer ceil',
    [1, 1, 4, 6],
    bySizes([2, 4], { ...mode('nearest', 'align_corners'), nearest_mode: 'round_prefer_ceil' }),
  ],
  ['linear, sizes computed from its shape', [2, 3, 4, 3], sizesFromShape(7, 2)],
  ['linear, up', [2, 2, 3, 4], byScales([1, 1, 2, 1.5], mode('linear'))],
  ['linear, align_corners', [2, 2, 3, 4], bySizes([5, 7], mode('linear', 'align_corners'))],
  ['linear, pytorch_half_pixel', [1, 2, 4, 3], bySizes([1, 5], mode('linear', 'pytorch_half_pixel'))],
  ['linear, asymmetric', [1, 2, 4, 3], byScales([1, 1, 1.5, 2], mode('linear', 'asymmetric'))],
  ['linear, symmetric', [1, 1, 4, 5], byScales([1, 1, 1.4, 0.7], mode('linear', 'half_pixel_symmetric'))],
  ['linear, one axis by `axes`', [2, 2, 5], bySizes([8], { ...mode('linear'), axes: [-1] })],
  ['linear, antialias', [1, 1, 6, 8], bySizes([3, 5], { ...mode('linear'), antialias: 1 })],
  [
    'linear, aspect ratio kept',
    [1, 1, 4, 6],
    bySizes([8, 8], { ...mode('linear'), keep_aspect_ratio_policy: 'not_larger' }),
  ],
  ['cubic', [1, 2, 4, 5], byScales([1, 1, 2, 1.6], { ...mode('cubic'), cubic_coeff_a: float(-0.5) })],
  [
    'cubic, outside left out',
    [1, 2, 4, 5],
    bySizes([7, 3], { ...mode('cubic', 'align_corners'), exclude_outside: 1 }),
  ],
  ['cubic, antialias', [1, 1, 6, 8], bySizes([3, 5], { ...mode('cubic'), antialias: 1, exclude_outside: 1 })],
];

const SAMPLES: [form: string, attributes: Attributes][] = [
  ['linear, zeros', {}],
  ['linear, border, align_corners', { padding_mode: 'border', align_corners: 1 }],
  ['linear, reflection', { padding_mode: 'reflection' }],
  ['nearest', { mode: 'nearest', padding_mode: 'border' }],
  ['cubic', { mode: 'cubic', align_corners: 1 }],
  ['cubic, reflection, align_corners', { mode: 'cubic', padding_mode: 'reflection', align_corners: 1 }],
];

/** Inside, at the edge and outside of the image. */
const PLACES = [-0.63, 0.15, 0.44, -0.12, 1.13, 0.6, -1.13, -0.4, 0.08, 1.31, 0.86, -0.83];

const PADS: [form: string, input: number[], pads: number[]][] = [
  ['both ends', [2, 3, 4], [0, 1, 3, 0, 2, 1]],
  ['one end is cut', [2, 5], [0, -1, 0, 2]],
];

const simple = (form: string, input: number[], operator: string, attributes: Attributes): GradientCase => [
  operator,
  form,
  { inputs: [x(...input)], build: squared(of(operator, attributes)), type: 'float32' },
];

export const RESAMPLING_CASES: GradientCase[] = [
  ...RESIZES.map(
    ([form, input, build]): GradientCase => [
      'Resize',
      form,
      {
        inputs: [named([0, 1], x(...input))],
        build: squared(build),
        type: 'float32',
      },
    ],
  ),
  // Places away from pixels, at which the slope jumps.
  ...SAMPLES.map(
    ([form, attributes]): GradientCase => [
      'GridSample',
      form,
      {
        inputs: [
          named([0, 1], x(1, 2, 4, 5)),
          { shape: [1, 3, 2, 2], draw: (random, index) => PLACES[index] + 0.01 * random.uniform() },
        ],
        build: of('GridSample', attributes),
        type: 'float32',
        order: 1,
        step: 2e-3,
        tolerance: 5e-3,
      },
    ],
  ),
  ...[0, 1].map(
    (aligned): GradientCase => [
      'AffineGrid',
      `align_corners ${aligned}`,
      {
        inputs: [x(2, 2, 3)],
        build: squared((g, [theta]) =>
          g.op('AffineGrid', [theta, g.ints([2, 1, 3, 4])], { align_corners: aligned }),
        ),
        type: 'float32',
      },
    ],
  ),
  ...['reflect', 'edge', 'wrap'].flatMap((name) =>
    PADS.map(
      ([form, input, pads]): GradientCase => [
        'Pad',
        `${name}, ${form}`,
        { inputs: [x(...input)], build: squared((g, [a]) => g.op('Pad', [a, g.ints(pads)], { mode: name })) },
      ],
    ),
  ),
  simple('DCR', [2, 8, 2, 3], 'DepthToSpace', { blocksize: 2 }),
  simple('CRD', [2, 8, 2, 3], 'DepthToSpace', { blocksize: 2, mode: 'CRD' }),
  simple('', [2, 2, 4, 6], 'SpaceToDepth', { blocksize: 2 }),
  [
    'Col2Im',
    'strides, pads and dilations',
    {
      inputs: [named([0], x(1, 8, 9))],
      build: squared((g, [a]) =>
        g.op('Col2Im', [a, g.ints([5, 6]), g.ints([2, 2])], {
          strides: [2, 2],
          pads: [1, 0, 0, 1],
          dilations: [1, 2],
        }),
      ),
      type: 'float32',
    },
  ],
  [
    'MaxUnpool',
    '',
    {
      inputs: [named([], within(0, 1, 1, 1, 2, 2))],
      build: squared((g, [a]) =>
        g.op('MaxUnpool', [a, g.reshape(g.ints([1, 3, 8, 14]), [1, 1, 2, 2])], {
          kernel_shape: [2, 2],
          strides: [2, 2],
        }),
      ),
      type: 'float32',
    },
  ],
];
