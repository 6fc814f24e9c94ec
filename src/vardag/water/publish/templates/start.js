// Takes over from the still map and the printed list.
function start() {
  const box = document.querySelector(".map-live");
  box.hidden = false;
  document.querySelector(".map-still").classList.add("for-print");
  const map = new PipeMap(box);
  new RankedList(document.querySelector(".ranked"), map);
  document.documentElement.dataset.pipesDrawn = box.dataset.drawn;
}
start();
