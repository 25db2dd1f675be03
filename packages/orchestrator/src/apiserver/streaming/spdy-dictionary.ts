// The text that SPDY/3's header compression starts from: names of headers with their lengths, then words that headers often hold
// (draft-mbelshe-httpbis-spdy-00, section 2.6.10.1). Both sides must have the same 1423 bytes.

const sizedWords: readonly string[] = [
  ...'options head post put delete trace accept accept-charset accept-encoding'.split(' '),
  ...'accept-language accept-ranges age allow authorization cache-control connection'.split(' '),
  ...'content-base content-encoding content-language content-length content-location'.split(' '),
  ...'content-md5 content-range content-type date etag expect expires from host if-match'.split(
    ' ',
  ),
  ...'if-modified-since if-none-match if-range if-unmodified-since last-modified'.split(' '),
  ...'location max-forwards pragma proxy-authenticate proxy-authorization range'.split(' '),
  ...'referer retry-after server te trailer transfer-encoding upgrade user-agent vary'.split(' '),
  ...'via warning www-authenticate method get status'.split(' '),
  '200 OK',
  ...'version HTTP/1.1 url public set-cookie keep-alive origin'.split(' '),
]
const otherWords: readonly string[] = [
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505',
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request',
  '401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented',
  '503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, ',
  'Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,',
  'application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=',
  'gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.',
]

const sized = (word: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(word.length)
  return Buffer.concat([length, Buffer.from(word)])
}

export const spdyDictionary: Buffer = Buffer.concat([
  ...sizedWords.map(sized),
  Buffer.from(otherWords.join('')),
])
/** The checksum by which zlib names the dictionary. */
export const spdyDictionaryId = 0xe3c6a7c2
