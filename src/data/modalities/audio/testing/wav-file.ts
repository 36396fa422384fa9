export interface WavOptions {
  readonly rate?: number;
  readonly channels?: number;
  readonly kind?: 'pcm' | 'float';
  readonly bits?: 8 | 16 | 24 | 32 | 64;
  /** Bytes that the header promises; those that there are when absent. */
  readonly promised?: number;
  /** Between format and data, as some programs write. */
  readonly before?: Uint8Array;
}

/** A WAV file of a waveform between -1 and 1, which every channel holds. */
export function wavFile(samples: ArrayLike<number>, options: WavOptions = {}): Uint8Array {
  const { rate = 8000, channels = 1, kind = 'pcm', bits = 16, before = new Uint8Array(0) } = options;
  const frameBytes = (channels * bits) / 8;
  const bytes = samples.length * frameBytes;
  const file = Buffer.alloc(36 + before.length + 8 + bytes);
  file.write('RIFF', 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(kind === 'float' ? 3 : 1, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * frameBytes, 28);
  file.writeUInt16LE(frameBytes, 32);
  file.writeUInt16LE(bits, 34);
  file.set(before, 36);
  const data = 36 + before.length;
  file.write('data', data);
  file.writeUInt32LE(options.promised ?? bytes, data + 4);
  const write = {
    'pcm 8': (value: number, at: number) => file.writeUInt8(Math.round(value * 127) + 128, at),
    'pcm 16': (value: number, at: number) => file.writeInt16LE(Math.round(value * 32767), at),
    'pcm 24': (value: number, at: number) => file.writeIntLE(Math.round(value * 8388607), at, 3),
    'pcm 32': (value: number, at: number) => file.writeInt32LE(Math.round(value * 2147483647), at),
    'float 32': (value: number, at: number) => file.writeFloatLE(value, at),
    'float 64': (value: number, at: number) => file.writeDoubleLE(value, at),
  }[`${kind} ${bits}` as 'pcm 16'];
  let at = data + 8;
  for (let i = 0; i < samples.length; i++) {
    for (let channel = 0; channel < channels; channel++) {
      write(samples[i] as number, at);
      at += bits / 8;
    }
  }
  return file;
}

/** A tone of half the full amplitude. */
export function tone(hz: number, rate: number, seconds: number): Float32Array {
  return Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate),
  );
}
