// Whether a text is standard base64 with its padding, as Go reads it: line ends are passed over. Node's own reader takes anything.

const pad = '='
const isLineEnd = (char: string | undefined): boolean => char === '\n' || char === '\r'

/** The offset that Go names for what is wrong; undefined if nothing is. */
export function base64FaultOf(text: string): number | undefined {
  /** Characters of the present group of four. */
  let inGroup = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    if (isLineEnd(char)) continue
    if (/[A-Za-z0-9+/]/.test(char)) inGroup = (inGroup + 1) % 4
    else if (char !== pad || inGroup < 2) return i
    else return paddingFault(text, i, inGroup)
  }
  return inGroup === 0 ? undefined : text.length - inGroup
}

/** `at`: the first padding character, after two or three of the group. */
function paddingFault(text: string, at: number, inGroup: number): number | undefined {
  let next = at + 1
  const skip = (): void => {
    while (isLineEnd(text[next])) next++
  }
  if (inGroup === 2) {
    skip()
    if (next === text.length) return text.length
    if (text[next] !== pad) return next - 1
    next++
  }
  skip()
  return next < text.length ? next : undefined
}
