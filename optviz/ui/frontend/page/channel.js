// What the page asks the server beside Streamlit (optviz/ui/channel.py), over one socket.

const pending = new Map(); // what resolves each request, by its number
let socket = null, opened = null, numbers = 0;

// Whether there is a socket, once that is known.
export function open() {
  if (socket) return opened;
  const ws = (socket = new WebSocket(new URL("channel", document.baseURI.replace(/^http/, "ws"))));
  ws.onmessage = ({ data }) => {
    const { n, rerun, ...answer } = JSON.parse(data);
    pending.get(n)?.(rerun ? null : answer);
    pending.delete(n);
  };
  opened = new Promise(resolve => {
    ws.onopen = () => resolve(true);
    ws.onclose = () => {
      resolve(false);
      if (socket === ws) socket = null;
      for (const settle of pending.values()) settle();
      pending.clear();
    };
  });
  return opened;
}

export const isOpen = () => socket?.readyState === WebSocket.OPEN;

// The server's answer: null where the page has to be run for it, undefined where there is no
// connection.
export async function ask(key, message) {
  if (!(await open()) || !isOpen()) return;
  return new Promise(resolve => {
    pending.set((numbers += 1), resolve);
    socket.send(JSON.stringify({ n: numbers, key, message }));
  });
}
