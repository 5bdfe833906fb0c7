// Compress and unpack gzip.

async function through(stream, bytes) {
  return new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer();
}

function isPacked(buffer) {
  const [first, second] = new Uint8Array(buffer, 0, Math.min(2, buffer.byteLength));
  return first === 0x1f && second === 0x8b;
}

function damaged(name, error) {
  return new Error(`${name}: expected one complete gzip file, found a damaged one, or one in several parts (${error.message}); compress it again`);
}

async function unpacked(name, buffer) {
  if (!isPacked(buffer)) return buffer;
  try {
    return await through(new DecompressionStream("gzip"), buffer);
  } catch (error) {
    throw damaged(name, error);
  }
}

// The beginning of a file, which holds its header; the rest is not unpacked.
async function beginningOf(file) {
  const start = await file.slice(0, 540).arrayBuffer();
  if (!isPacked(start)) return start;
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    const {value} = await reader.read();
    return value ? value.slice().buffer : new ArrayBuffer(0);
  } catch (error) {
    throw damaged(file.name, error);
  } finally {
    reader.cancel().catch(() => {});
  }
}
