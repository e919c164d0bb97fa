"""Pictures as a screen shows them: deinterlaced, with square pixels, turned upright. Others pass untouched."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av import VideoFormat, VideoFrame
from av.error import BlockingIOError as NothingYet, EOFError as AllOut
from av.filter import Graph
from av.video.stream import VideoStream

_TURNS = {-90: ("transpose", "clock"), 90: ("transpose", "cclock")}


@dataclass(frozen=True)
class Shape:
    """What decides how a picture is made upright.

    Attributes:
        size, pixels: as decoded.
        turned: degrees counter-clockwise, as the display matrix says.
        interlaced: two fields of different times woven together.
        square: the pixels are, in all pictures so far.
    """

    size: tuple[int, int]
    pixels: str
    turned: int
    interlaced: bool
    square: bool


class Upright:
    """Takes pictures with their times, gives them upright; FFmpeg's own filters do the work.

    The shape of a pixel may change from one picture to the next. Each picture carries what its own codec says, which
    FFmpeg's filters see; a container that says otherwise is believed.

    Args:
        stream: that the pictures come from.

    Attributes:
        was_interlaced: whether any picture was.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._codec = stream.codec_context
        self._of_container = (stream.sample_aspect_ratio or 1) / (self._codec.sample_aspect_ratio or Fraction(1))
        self._square = (stream.sample_aspect_ratio or 1) == 1
        self.was_interlaced = False
        self._shape: Shape | None = None
        self._graph: Graph | None = None
        self._times: deque[float] = deque()

    def take(self, time_s: float, frame: VideoFrame) -> Iterator[tuple[float, VideoFrame]]:
        """Pictures that are ready once this one is there."""
        self.was_interlaced |= frame.interlaced_frame
        turned = round(frame.rotation / 90) * 90
        # the decoder knows of a new shape of pixels no later than it gives the first such picture
        self._square &= (self._codec.sample_aspect_ratio or 1) == 1
        shape = Shape((frame.width, frame.height), frame.format.name, turned, self.was_interlaced, self._square)
        if shape != self._shape:
            yield from self.rest()
            self._shape, self._graph = shape, self._built(shape)
        if self._graph is None:
            yield time_s, frame
            return
        self._times.append(time_s)
        frame.pts = None
        self._graph.push(frame)
        yield from self._pulled()

    def rest(self) -> Iterator[tuple[float, VideoFrame]]:
        """What is still inside."""
        if self._graph is not None and self._times:
            self._graph.push(None)
            yield from self._pulled()
        self._graph, self._shape = None, None
        self._times.clear()

    def _pulled(self) -> Iterator[tuple[float, VideoFrame]]:
        assert self._graph is not None
        while self._times:
            try:
                frame = self._graph.vpull()
            except (NothingYet, AllOut):
                return
            yield self._times.popleft(), frame

    def _built(self, shape: Shape) -> Graph | None:
        width, height = shape.size
        steps = [("bwdif", "mode=send_frame:deint=interlaced")] if shape.interlaced else []
        if not shape.square:
            steps += [("scale", f"max(2,round(iw*sar*({self._of_container})/2)*2):ih:eval=frame"), ("setsar", "1")]
        if shape.turned in _TURNS:
            steps.append(_TURNS[shape.turned])
        elif abs(shape.turned) == 180:
            steps += [("hflip", ""), ("vflip", "")]
        if not steps:
            return None
        graph = Graph()
        node = graph.add_buffer(width=width, height=height, format=VideoFormat(shape.pixels), time_base=Fraction(1, 25))
        for name, arguments in [*steps, ("buffersink", "")]:
            following = graph.add(name, arguments)
            node.link_to(following)
            node = following
        graph.configure()
        return graph
