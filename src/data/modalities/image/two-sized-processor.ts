import { canonicalJson } from '../../canonical-json.ts';
import type { Example } from '../../split.ts';
import type { Encoded, Measurement, Movement, View } from '../modality.ts';
import type { ChannelMoments } from './channel-moments.ts';
import { ImageProcessor, type ImageProcessorOptions } from './image-processor.ts';

/**
 * Images that are kept twice: as the student reads them, and as its teacher does, which wants another size. The bytes of both
 * lie one after the other; all but `teacherPart` is about the student's. Variants for training move both alike.
 */
export class TwoSizedProcessor extends ImageProcessor {
  override readonly hash: string;
  /** How the teacher's images are made. */
  readonly teacher: ImageProcessor;
  readonly #own: ImageProcessorOptions;
  declare readonly measure?: () => Measurement;
  declare readonly measured?: (result: unknown) => TwoSizedProcessor;

  constructor(options: ImageProcessorOptions, teacher: ImageProcessor, moments?: ChannelMoments) {
    super(options, moments);
    this.#own = options;
    this.teacher = teacher;
    const single = new ImageProcessor(options, moments);
    this.hash = canonicalJson({ student: single.hash, teacher: teacher.hash });
    const { measure } = single;
    if (!measure) return;
    this.measure = () => {
      const measurement = measure();
      return {
        add: (bytes) => measurement.add(this.studentPart(bytes)),
        result: () => measurement.result(),
      };
    };
    this.measured = (result) => new TwoSizedProcessor(options, teacher, result as ChannelMoments);
  }

  override bytesFor(): number {
    return super.bytesFor() + this.teacher.bytesFor();
  }

  override async encode(value: unknown): Promise<Encoded> {
    const own = await super.encode(value);
    const other = await this.teacher.encodeResized(value);
    const bytes = new Uint8Array(own.bytes.length + other.length);
    bytes.set(own.bytes);
    bytes.set(other, own.bytes.length);
    return { ...own, bytes };
  }

  override vary(bytes: Uint8Array, view: View): Uint8Array {
    const own = super.vary(this.studentPart(bytes), view);
    const other = this.teacher.varyAs(this.#own.dims, this.teacherPart(bytes), view);
    const both = new Uint8Array(bytes.length);
    both.set(own);
    both.set(other, own.length);
    return both;
  }

  override movement(view: View): Movement {
    return super.movement(view);
  }

  override example(bytes: Uint8Array, shown: Uint8Array): Example {
    return super.example(this.studentPart(bytes), shown);
  }

  /** Of kept bytes those that the student reads. */
  override studentPart(bytes: Uint8Array): Uint8Array {
    return bytes.subarray(0, super.bytesFor());
  }

  /** Of kept bytes those that the teacher reads. */
  teacherPart(bytes: Uint8Array): Uint8Array {
    return bytes.subarray(super.bytesFor());
  }
}
