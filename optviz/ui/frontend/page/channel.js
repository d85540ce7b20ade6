// What the page asks the server beside Streamlit (optviz/ui/channel.py), over one socket.

const asked = new Map(); // what waits for an answer, by its number
let socket = null, opened = null, numbers = 0;

// Whether there is a socket, once that is known.
export function open() {
  if (socket) return opened;
  const own = (socket = new WebSocket(new URL("channel", document.baseURI.replace(/^http/, "ws"))));
  own.onmessage = ({ data }) => {
    const { n, rerun, ...answer } = JSON.parse(data);
    asked.get(n)?.(rerun ? null : answer);
    asked.delete(n);
  };
  opened = new Promise(done => {
    own.onopen = () => done(true);
    own.onclose = () => {
      done(false);
      if (socket === own) socket = null;
      for (const answered of asked.values()) answered();
      asked.clear();
    };
  });
  return opened;
}

export const isOpen = () => socket?.readyState === WebSocket.OPEN;

// What the server says of this: null where the page has to be run for it, nothing where nobody is
// there.
export async function ask(key, message) {
  if (!(await open()) || !isOpen()) return;
  return new Promise(done => {
    asked.set((numbers += 1), done);
    socket.send(JSON.stringify({ n: numbers, key, message }));
  });
}
