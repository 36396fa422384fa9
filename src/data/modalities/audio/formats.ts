/** Kinds of audio files that are read. */
export type AudioFormat = 'wav' | 'flac' | 'mp3' | 'vorbis' | 'opus';

/** The endings of file names, with their dots. */
export const AUDIO_ENDINGS: readonly string[] = ['.wav', '.wave', '.flac', '.mp3', '.ogg', '.oga', '.opus'];

/** Endings of audio files that cannot be read. */
export const UNREAD_AUDIO_ENDINGS: readonly string[] = [
  ...[
    '.aac',
    '.ac3',
    '.aif',
    '.aifc',
    '.aiff',
    '.alac',
    '.amr',
    '.ape',
    '.au',
    '.caf',
    '.m4a',
    '.mka',
    '.mp2',
  ],
  ...['.mp4', '.snd', '.spx', '.webm', '.wma', '.wv'],
];

/** Bytes at the start of a file that tell its format. */
export const HEAD_BYTES = 64;

/** What a file is by how it begins, for its ending may be wrong; undefined for what is none of these. */
export function audioFormat(head: Uint8Array): AudioFormat | undefined {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  if (isWav(head)) return 'wav';
  if (text.startsWith('fLaC')) return 'flac';
  // The first page of an Ogg file holds the head of its stream.
  if (text.startsWith('OggS')) {
    if (text.includes('OpusHead')) return 'opus';
    if (text.includes('\u0001vorbis')) return 'vorbis';
    return undefined;
  }
  if (text.startsWith('ID3') || isMpegFrame(head)) return 'mp3';
  return undefined;
}

/** The head of a frame of MPEG audio, layer 3: eleven ones, a version, a layer, a rate and a bit rate that exist. */
function isMpegFrame([first = 0, second = 0, third = 0]: Uint8Array): boolean {
  const isSynchronous = first === 0xff && (second & 0xe0) === 0xe0;
  const [version, layer] = [(second >> 3) & 3, (second >> 1) & 3];
  return isSynchronous && version !== 1 && layer === 1 && third >> 4 !== 15 && ((third >> 2) & 3) !== 3;
}

/** Whether bytes begin as a WAV file does. */
export function isWav(head: Uint8Array): boolean {
  const text = String.fromCharCode(...head.subarray(0, 12));
  return text.startsWith('RIFF') && text.slice(8) === 'WAVE';
}
